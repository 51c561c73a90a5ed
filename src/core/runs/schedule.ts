import type { Instant, Milliseconds } from '../instant.ts';
import type { Problem } from '../read-value.ts';

const MINUTE: Milliseconds = 60_000;
const HOUR: Milliseconds = 3_600_000;
const DAY: Milliseconds = 24 * HOUR;
/** A month at the most: what is looked at less often need not be scheduled. */
const HOURS_MAX = 720;
/** Daily ones of one time begin within so long after it. */
const DAILY_SPREAD: Milliseconds = 10 * MINUTE;

/** When something is done again and again. */
export type Schedule =
  /** Every so many hours. */
  | { readonly every: number }
  /** Each day, at so many minutes after midnight, UTC. */
  | { readonly daily: number };

/** Reads a schedule: `every 24h`, from 1h to 720h, or `daily at 03:00`, in UTC. */
export function readSchedule(text: string): Schedule | Problem {
  const [, hours] = /^every (\d{1,3})h$/.exec(text) ?? [];
  if (hours !== undefined && Number(hours) >= 1 && Number(hours) <= HOURS_MAX)
    return { every: Number(hours) };
  const [, hour, minute] = /^daily at ([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hour !== undefined) return { daily: Number(hour) * 60 + Number(minute) };
  return {
    problem: `invalid schedule "${text.slice(0, 60)}": expected "every 24h", of 1 to ${HOURS_MAX} hours, or "daily at 03:00", in UTC`,
  };
}

export function formatSchedule(schedule: Schedule): string {
  if ('every' in schedule) return `every ${schedule.every}h`;
  const two = (count: number): string => String(count).padStart(2, '0');
  return `daily at ${two(Math.floor(schedule.daily / 60))}:${two(schedule.daily % 60)}`;
}

/**
 * When it is due next. Many of one schedule are not due together: those of an interval are spread over all of it, daily
 * ones over the minutes after their time, each always at the same place.
 * @param name what is due, so that each has a place of its own
 */
export function nextDue(schedule: Schedule, name: string, after: Instant): Instant {
  const [period, offset] =
    'every' in schedule
      ? [schedule.every * HOUR, placeOf(name) * schedule.every * HOUR]
      : [DAY, schedule.daily * MINUTE + placeOf(name) * DAILY_SPREAD];
  const place = Math.floor(offset);
  return (Math.floor((after - place) / period) + 1) * period + place;
}

/** A number from 0 to 1 that is always the same for a name, and another for most others: FNV-1a. */
function placeOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  // Names that end alike are told apart by their last bits, so these are mixed into all others.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
