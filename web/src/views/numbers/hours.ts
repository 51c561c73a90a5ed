import type { DurationsShape, HourShape } from '../../../../src/api/shapes/numbers.ts';
import { durationText } from '../../format.ts';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

/** What happened in one hour or one day. */
export type Span = Omit<HourShape, 'at'> & {
  /** When it begins, in milliseconds since 1970. */
  readonly from: number;
};

const NOTHING = { applies: 0, plans: 0, writes: 0, refused: 0 };

/**
 * Every hour of a time, those too in which nothing happened; every day of it, where it is longer than three days.
 * @param since and `now` in milliseconds since 1970
 */
export function spansOf(hours: readonly HourShape[], since: number, now: number): readonly Span[] {
  const step = now - since > 3 * DAY_MS ? DAY_MS : HOUR_MS;
  const first = Math.floor(since / step);
  const count = Math.floor(now / step) - first + 1;
  const spans = Array.from({ length: count }, (_, index) => ({ from: (first + index) * step, ...NOTHING }));
  for (const { at, applies, plans, writes, refused } of hours) {
    const span = spans[Math.floor(Date.parse(at) / step) - first];
    if (span === undefined) continue;
    span.applies += applies;
    span.plans += plans;
    span.writes += writes;
    span.refused += refused;
  }
  return spans;
}

/** All of a time together. */
export function totalOf(hours: readonly HourShape[]): Omit<HourShape, 'at'> {
  const sum = { ...NOTHING };
  for (const { applies, plans, writes, refused } of hours) {
    sum.applies += applies;
    sum.plans += plans;
    sum.writes += writes;
    sum.refused += refused;
  }
  return sum;
}

/** A duration as people read it, or that there was none. */
export function durationOf(durations: DurationsShape, which: 'p50Ms' | 'p99Ms'): string {
  const ms = durations[which];
  return ms === null ? 'none' : durationText(ms);
}
