import type { Instant } from './instant.ts';
import type { RetentionFloor, RetentionMode } from './retained.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const LIMIT_MAX = 1_000_000;
/** 100 years, as of S3's Object Lock. */
const RETAIN_DAYS_MAX = 36_500;

export type RetentionLimit = 'keepVersions' | 'keepDays' | 'minKeepDays' | 'retainAtLeast';

interface LimitRow {
  /** The least that sets it. */
  readonly min: number;
  readonly max: number;
  /** What holds where nothing is set; 0 where that is no limit. */
  readonly fallback: number;
  readonly placeholder: string;
  /** What it says, in words that may begin a help text or a description. */
  readonly says: string;
}

/** The limits that retention may set. */
export const RETENTION_LIMITS: Readonly<Record<RetentionLimit, LimitRow>> = {
  keepVersions: limit(1, 0, { placeholder: 'N', says: 'keep the newest N versions of a state; 0 keeps all' }),
  keepDays: limit(1, 0, {
    placeholder: 'DAYS',
    says: 'keep superseded versions for DAYS days; 0 keeps all',
  }),
  minKeepDays: limit(0, 7, {
    placeholder: 'DAYS',
    says: 'drop no version that was superseded less than DAYS days ago, whatever the other limits say',
  }),
  retainAtLeast: {
    ...limit(1, 0, {
      placeholder: 'DAYS',
      says: 'let no version be removed in its first DAYS days, by whatever means; 0 for no such time',
    }),
    max: RETAIN_DAYS_MAX,
  },
};

function limit(min: number, fallback: number, words: Pick<LimitRow, 'placeholder' | 'says'>): LimitRow {
  return { min, max: LIMIT_MAX, fallback, ...words };
}

/**
 * How much history a project keeps, in whole numbers. Without `keepVersions` and `keepDays`: all of it, the default. A version
 * goes when one of these says so and `minKeepDays` does not keep it: else a few quick writes would take the whole history away.
 */
export type Retention = { readonly [L in RetentionLimit]?: number };

/** One value for each limit. */
export function mapLimits<T>(value: (limit: RetentionLimit) => T): { readonly [L in RetentionLimit]: T } {
  const limits = Object.keys(RETENTION_LIMITS) as RetentionLimit[];
  return Object.fromEntries(limits.map((name) => [name, value(name)])) as { [L in RetentionLimit]: T };
}

/** The limits among other attributes; what is no number in the range of a limit sets none. */
export function readRetention(attributes: { readonly [L in RetentionLimit]?: unknown }): Retention {
  const set = Object.entries(mapLimits((name) => attributes[name])).filter(
    ([name, value]) => typeof value === 'number' && value >= RETENTION_LIMITS[name as RetentionLimit].min,
  );
  return Object.fromEntries(set) as Retention;
}

/** Whether any version ever goes. */
export function isLimited({ keepVersions, keepDays }: Retention): boolean {
  return keepVersions !== undefined || keepDays !== undefined;
}

/** What a project retains every version by; null for nothing. */
export function floorOf({ retainAtLeast }: Retention, mode: RetentionMode): RetentionFloor | null {
  return retainAtLeast === undefined ? null : { mode, days: retainAtLeast };
}

/** A version that was superseded later than this stays, whatever the other limits say. */
export function keptSince({ minKeepDays }: Retention, at: Instant): Instant {
  return daysBefore(at, minKeepDays ?? RETENTION_LIMITS.minKeepDays.fallback);
}

/** A version that was written later than this nobody may remove. */
export function retainedSince({ retainAtLeast = 0 }: Retention, at: Instant): Instant {
  return daysBefore(at, retainAtLeast);
}

/** Infinity for no days. */
function daysBefore(at: Instant, days: number): Instant {
  return days === 0 ? Infinity : at - days * DAY_MS;
}

interface Dated {
  readonly number: number;
  readonly at: Instant;
}

/**
 * The numbers of the versions that retention lets go, oldest first. The newest version always stays.
 * A version's age counts from when it was superseded, so that the last good state of a quiet year is not lost to one write.
 * @param versions in any order, all of one address: the newest ones, as many as are to be kept by number, and all older
 *   ones that may go
 */
export function prunable(versions: readonly Dated[], retention: Retention, at: Instant): number[] {
  const since = keptSince(retention, at);
  const newestFirst = [...versions].sort((a, b) => b.number - a.number);
  return newestFirst
    .filter((_, index) => {
      const successor = newestFirst[index - 1];
      if (successor === undefined || successor.at > since) return false;
      const beyondCount =
        retention.keepVersions !== undefined && index >= Math.max(1, retention.keepVersions);
      const beyondAge = retention.keepDays !== undefined && at - successor.at >= retention.keepDays * DAY_MS;
      return beyondCount || beyondAge;
    })
    .map(({ number }) => number)
    .sort((a, b) => a - b);
}
