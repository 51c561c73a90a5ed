import type { DoorRequest } from '../door.ts';

/** What AWS's SDKs send with each attempt: `attempt=2; max=5`. */
const ATTEMPT = /(?:^|[;\s])attempt=(\d{1,4})(?:$|[;\s])/;

/** Whether an AWS client says that it has sent this request before. */
export function isResent(request: DoorRequest): boolean {
  return Number(ATTEMPT.exec(request.header('amz-sdk-request') ?? '')?.[1] ?? 1) > 1;
}
