import type { Milliseconds } from './instant.ts';

/** Up to where each class of durations reaches, in milliseconds: the first is of none at all, and the last has no end. */
const ENDS: readonly Milliseconds[] = [
  0, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** How durations are spread: how many there were in each class. */
export type Spread = readonly number[];

export const NO_SPREAD: Spread = [];

/** A spread and one duration more. */
export function withDuration(spread: Spread, duration: Milliseconds): Spread {
  const found = ENDS.findIndex((end) => duration <= end);
  const at = found === -1 ? ENDS.length : found;
  return Array.from(
    { length: Math.max(spread.length, at + 1) },
    (_, index) => (spread[index] ?? 0) + (index === at ? 1 : 0),
  );
}

/** Two spreads as one. */
export function sumOfSpreads(a: Spread, b: Spread): Spread {
  return Array.from(
    { length: Math.max(a.length, b.length) },
    (_, index) => (a[index] ?? 0) + (b[index] ?? 0),
  );
}

export function countOf(spread: Spread): number {
  return spread.reduce((sum, count) => sum + count, 0);
}

/**
 * About how long the given share of the durations lasted at most: to the class, and within it as if they were spread evenly.
 * @returns null for none; of the class without an end, where it begins
 */
export function quantileOf(spread: Spread, share: number): Milliseconds | null {
  const rank = share * countOf(spread);
  if (rank === 0) return null;
  let before = 0;
  for (const [index, count] of spread.entries()) {
    const from = ENDS[index - 1] ?? 0;
    const end = ENDS[index];
    if (before + count >= rank)
      return end === undefined ? from : from + ((rank - before) / count) * (end - from);
    before += count;
  }
  return ENDS.at(-1) ?? null;
}
