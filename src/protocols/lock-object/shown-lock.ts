import { formatLockInfo, parseLockInfo } from '../../core/lock-info.ts';
import { placeInWords, whereToLook, type LinePlace } from '../../core/lock-words.ts';
import type { Holder } from '../../core/world.ts';
import { holdingInWords, lockInfoOf, type Holding } from '../explain.ts';

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

/**
 * A lock as whoever was just refused for it is shown it: `Info`, which terraform prints and does not compare, says who holds it
 * and where in line the asker stands.
 * @param page where to look at both in a browser, as {@link pageOf} has it
 */
export function toldLock({ holder }: SeenLock, refusal: Holding & LinePlace, page: string | null): SeenLock {
  const facts = [holdingInWords(refusal), placeInWords(refusal), whereToLook(page)].filter(
    (fact) => fact !== '',
  );
  const lock = { ...lockInfoOf(holder), info: facts.join('; ') };
  return { holder, info: new TextEncoder().encode(formatLockInfo(lock)) };
}

/** Whether a text is a lock's info with other words in `Info`, as {@link toldLock} writes them. */
export function isToldOf({ info }: SeenLock, text: string): boolean {
  const own = parseLockInfo(info);
  const told = parseLockInfo(new TextEncoder().encode(text));
  if (!('info' in own) || !('info' in told)) return false;
  return formatLockInfo({ ...told.info, info: '' }) === formatLockInfo({ ...own.info, info: '' });
}
