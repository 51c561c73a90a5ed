import { z } from 'zod';
import { NO_SPREAD, sumOfSpreads, type Spread } from '../../core/spread.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { NUMBERS_KIND } from '../records/kinds.ts';

/** What happened, counted. */
export interface Counts {
  /** Locks that were granted for anything but a plan. */
  readonly applies: number;
  readonly plans: number;
  readonly writes: number;
  /** How long who got a lock had waited for it. */
  readonly waits: Spread;
  /** How long locks were held that were released. */
  readonly holds: Spread;
  /** By cause. */
  readonly refused: Readonly<Record<string, number>>;
}

export const NO_COUNTS: Counts = {
  applies: 0,
  plans: 0,
  writes: 0,
  waits: NO_SPREAD,
  holds: NO_SPREAD,
  refused: {},
};

/** One hour of one node, by the addresses of states; under "" what is of no state, and of those that there was no room for. */
export interface HourCounts {
  readonly states: Readonly<Record<string, Counts>>;
}

const COUNTS: z.ZodType<Counts> = z.object({
  applies: z.number(),
  plans: z.number(),
  writes: z.number(),
  waits: z.array(z.number()),
  holds: z.array(z.number()),
  refused: z.record(z.string(), z.number()),
});

/** The hours, under `2026-01-31T12` and the node. */
export const NUMBERS: RecordDefinition<HourCounts> = defineRecords<HourCounts>(
  NUMBERS_KIND,
  z.object({ states: z.record(z.string(), COUNTS) }),
);

export function sumOfCounts(a: Counts, b: Counts): Counts {
  const causes = new Set([...Object.keys(a.refused), ...Object.keys(b.refused)]);
  return {
    applies: a.applies + b.applies,
    plans: a.plans + b.plans,
    writes: a.writes + b.writes,
    waits: sumOfSpreads(a.waits, b.waits),
    holds: sumOfSpreads(a.holds, b.holds),
    refused: Object.fromEntries(
      [...causes].map((cause) => [cause, (a.refused[cause] ?? 0) + (b.refused[cause] ?? 0)]),
    ),
  };
}

export function refusalsIn({ refused }: Counts): number {
  return Object.values(refused).reduce((sum, count) => sum + count, 0);
}

/** How much happened at all. */
export function activityOf(counts: Counts): number {
  return counts.applies + counts.plans + counts.writes + refusalsIn(counts);
}
