import type { Instant } from './instant.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const LIMIT_MAX = 1_000_000;

export type RetentionLimit = 'keepVersions' | 'keepDays';

/** The limits that retention may set, and what each of them keeps, in words that may follow "keep". */
export const RETENTION_LIMITS: Readonly<
  Record<RetentionLimit, { readonly max: number; readonly placeholder: string; readonly keeps: string }>
> = {
  keepVersions: { max: LIMIT_MAX, placeholder: 'N', keeps: 'the newest N versions of a state' },
  keepDays: { max: LIMIT_MAX, placeholder: 'DAYS', keeps: 'superseded versions for DAYS days' },
};

/**
 * How much history a project keeps: whole numbers from 1 up. Without any limit: all of it, the default. A version goes when
 * one of the limits says so.
 */
export type Retention = { readonly [L in RetentionLimit]?: number };

/** One value for each limit. */
export function mapLimits<T>(value: (limit: RetentionLimit) => T): { readonly [L in RetentionLimit]: T } {
  const limits = Object.keys(RETENTION_LIMITS) as RetentionLimit[];
  return Object.fromEntries(limits.map((limit) => [limit, value(limit)])) as { [L in RetentionLimit]: T };
}

/** The limits among other attributes; what is no number from 1 up sets none. */
export function readRetention(attributes: { readonly [L in RetentionLimit]?: unknown }): Retention {
  const set = Object.entries(mapLimits((limit) => attributes[limit])).filter(
    ([, value]) => typeof value === 'number' && value >= 1,
  );
  return Object.fromEntries(set) as Retention;
}

/** Whether any version ever goes. */
export function isLimited(retention: Retention): boolean {
  return Object.keys(retention).length > 0;
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
