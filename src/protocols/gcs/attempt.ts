import type { DoorRequest } from '../door.ts';

/** What Google's clients of Cloud Storage say of each attempt (cloud.google.com/go/storage, `invoke.go`). */
const ATTEMPT = /(?:^|\s)gccl-attempt-count\/(\d{1,4})(?:$|\s)/;

/** Whether a client of Google's says that it has sent this request before. */
export function isResent(request: Pick<DoorRequest, 'header'>): boolean {
  return Number(ATTEMPT.exec(request.header('x-goog-api-client') ?? '')?.[1] ?? 1) > 1;
}
