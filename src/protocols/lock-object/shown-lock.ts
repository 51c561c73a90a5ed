import { formatLockInfo, parseLockInfo } from '../../core/lock-info.ts';
import type { Holder } from '../../core/world.ts';
import { lockInfoOf } from '../explain.ts';

/** A lock as clients see it to whom it is an object. */
export interface SeenLock {
  readonly holder: Holder;
  /** As {@link shownLockInfo} writes it. */
  readonly info: Uint8Array;
}

/** The first of the holders, as such clients see it: their lock file and their item have room for one. */
export function shownLock([holder]: readonly Holder[]): SeenLock | null {
  return holder === undefined ? null : { holder, info: shownLockInfo(holder) };
}

/**
 * A holder's lock info as such clients are shown it: byte for byte as it was sent, if its ID is the lock's. Otherwise it is
 * written anew, because the ID is what `force-unlock` compares.
 * @param holder with its lock info opened
 */
export function shownLockInfo(holder: Holder): Uint8Array {
  const { info, lockId } = holder;
  if (info !== null) {
    const parsed = parseLockInfo(info);
    if ('info' in parsed && parsed.info.id === lockId) return info;
  }
  return new TextEncoder().encode(formatLockInfo(lockInfoOf(holder)));
}
