import type { DoorRequest } from '../door.ts';

/** What AWS's SDKs send with each attempt: `attempt=2; max=5`. */
const ATTEMPT = /(?:^|[;\s])attempt=(\d{1,4})(?:$|[;\s])/;

/** Whether an AWS client says that it has sent this request before. */
export function isResent(request: DoorRequest): boolean {
  return Number(ATTEMPT.exec(request.header('amz-sdk-request') ?? '')?.[1] ?? 1) > 1;
}

/** What AWS's SDKs name a call by, whose attempts all have the name; null from a client that sends none. */
export function callIdOf(request: DoorRequest): string | null {
  const id = request.header('amz-sdk-invocation-id') ?? '';
  return /^[\w-]{16,64}$/.test(id) ? id : null;
}
