import { formatLockInfo, parseLockInfo } from '../../core/lock-info.ts';
import type { Holder } from '../../core/world.ts';

/**
 * A holder's lock info as AWS clients are shown it: byte for byte as it was sent, if its ID is the lock's. Locks of doors
 * that name them otherwise, or that carry no lock info, are written anew, because the ID is what `force-unlock` compares.
 * @param holder with its lock info opened
 */
export function shownLockInfo(holder: Holder): Uint8Array {
  const parsed = parseLockInfo(holder.info);
  if ('info' in parsed && parsed.info.id === holder.lockId) return holder.info;
  const info =
    'info' in parsed
      ? { ...parsed.info, id: holder.lockId }
      : {
          id: holder.lockId,
          operation: holder.operation,
          info: '',
          who: holder.subject,
          version: '',
          created: new Date(holder.since).toISOString(),
          path: '',
        };
  return new TextEncoder().encode(formatLockInfo(info));
}
