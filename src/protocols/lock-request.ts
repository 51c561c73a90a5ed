import { randomUUID } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import type { LockRequest } from '../ports/state-client.ts';

/** Says who asks for a lock, as terraform does: user and host, and when. */
export function makeLockRequest(operation: string, version: string, info = ''): LockRequest {
  return {
    id: randomUUID(),
    operation,
    info,
    who: whoAmI(),
    version,
    created: goTime(new Date()),
  };
}

/** RFC 3339 as Go prints it: no trailing zeros. OpenTofu compares the text of a lock after reading and printing it anew. */
function goTime(time: Date): string {
  return time.toISOString().replace(/\.?0*Z$/, 'Z');
}

/** `user@host`, as terraform puts it into lock infos. */
export function whoAmI(): string {
  return `${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
