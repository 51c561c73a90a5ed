import { formatLockInfo, parseLockInfo } from '../../core/lock-info.ts';
import type { Holder } from '../../core/world.ts';

/** A lock as AWS clients see it. */
export interface SeenLock {
  readonly holder: Holder;
  /** As {@link shownLockInfo} writes it. */
  readonly info: Uint8Array;
}

/** The first of the holders, as AWS clients see it: their lock file and their item have room for one. */
export function shownLock([holder]: readonly Holder[]): SeenLock | null {
  return holder === undefined ? null : { holder, info: shownLockInfo(holder) };
}

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
