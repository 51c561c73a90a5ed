import type { HolderShape, WaiterShape } from '../../../../src/api/shapes/lock.ts';
import type { SeenLock } from './locks.ts';

/** One line of the list: a lock, one who holds it, or one who waits for it. `end` says that another lock follows. */
export type Row = { readonly seen: SeenLock; readonly end: boolean } & (
  | { readonly kind: 'lock' }
  | { readonly kind: 'holder'; readonly holder: HolderShape }
  | { readonly kind: 'waiter'; readonly waiter: WaiterShape }
  | { readonly kind: 'rest'; readonly count: number }
);

/** A lock is long held after so many times its usual hold, and not before this time. */
const LONG_FACTOR = 3;
const LONG_MS_MIN = 30_000;

/** How long the oldest hold of a lock has lasted, in milliseconds, as of the time that it was read. */
export function heldMs({ lock }: SeenLock): number {
  return Math.max(0, ...lock.holders.map((holder) => holder.heldMs));
}

/** Whether a hold lasts far longer than is usual here. */
export function isLong(ms: number, usualMs: number | null): boolean {
  return usualMs !== null && ms > LONG_MS_MIN && ms > usualMs * LONG_FACTOR;
}

/**
 * When a waiter's turn is to be expected, in milliseconds from when it was read: what is left of the present hold, and the
 * usual hold of all that come before; null where no hold has ended yet. 0 or less: the present hold is longer than usual.
 */
export function turnMs(seen: SeenLock, position: number): number | null {
  const usual = seen.lock.usualHoldMs;
  if (usual === null) return null;
  const left = usual - heldMs(seen);
  return left <= 0 ? left : left + usual * (position - 1);
}

/** The lines of the list, the longest held lock first. */
export function rowsOf(locks: readonly SeenLock[]): readonly Row[] {
  // What was read at different times is compared as of now.
  const since = (seen: SeenLock): number => seen.readAt - heldMs(seen);
  return locks
    .toSorted((one, other) => since(one) - since(other) || (one.lock.address < other.lock.address ? -1 : 1))
    .flatMap((seen): Row[] => {
      const { holders, waiters, waiting } = seen.lock;
      const rest = waiting - waiters.length;
      const rows: Row[] = [
        { kind: 'lock', seen, end: false },
        ...holders.map((holder) => ({ kind: 'holder', seen, holder, end: false }) as const),
        ...waiters.map((waiter) => ({ kind: 'waiter', seen, waiter, end: false }) as const),
        ...(rest > 0 ? [{ kind: 'rest', seen, count: rest, end: false } as const] : []),
      ];
      const last = rows.at(-1);
      return last === undefined ? rows : [...rows.slice(0, -1), { ...last, end: true }];
    });
}

/** Names a line. One who waited and now holds the lock is the same line, which moves. */
export function keyOfRow(row: Row): string {
  const { address } = row.seen.lock;
  switch (row.kind) {
    case 'lock':
      return `lock ${address}`;
    case 'holder':
      return `by ${address} ${row.holder.lockId}`;
    case 'waiter':
      return `by ${address} ${row.waiter.lockId}`;
    case 'rest':
      return `rest ${address}`;
  }
}

/** The locks that somebody holds or waits for. */
export function locksOf(locks: readonly SeenLock[], subject: string): readonly SeenLock[] {
  return locks.filter(({ lock }) =>
    [...lock.holders, ...lock.waiters].some((one) => one.subject === subject),
  );
}
