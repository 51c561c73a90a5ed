import type { Instant } from './instant.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** How much history a project keeps. Both limits absent: all of it, the default. A version goes when either limit says so. */
export interface Retention {
  /** Keeps the newest so many versions, 1 at the least. */
  readonly keepVersions?: number;
  /** Keeps what was superseded less than so many days ago. */
  readonly keepDays?: number;
}

interface Dated {
  readonly number: number;
  readonly at: Instant;
}

/**
 * The numbers of the versions that retention lets go, oldest first. The newest version always stays.
 * A version's age counts from when it was superseded, so that the last good state of a quiet year is not lost to one write.
 * @param versions in any order, all of one address
 */
export function prunable(versions: readonly Dated[], retention: Retention, at: Instant): number[] {
  const newestFirst = [...versions].sort((a, b) => b.number - a.number);
  return newestFirst
    .filter((_, index) => {
      const successor = newestFirst[index - 1];
      if (successor === undefined) return false;
      const beyondCount =
        retention.keepVersions !== undefined && index >= Math.max(1, retention.keepVersions);
      const beyondAge = retention.keepDays !== undefined && at - successor.at >= retention.keepDays * DAY_MS;
      return beyondCount || beyondAge;
    })
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}
