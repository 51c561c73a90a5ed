import { z } from 'zod';
import type {
  BusyStateShape,
  DurationsShape,
  HourShape,
  NumbersShape,
  StorageShape,
} from '../../../api/shapes/numbers.ts';
import { countOf, quantileOf, type Spread } from '../../../core/spread.ts';
import type { NumbersTold } from '../../../house/numbers/numbers.ts';
import { count, instant, objectOf, text } from './plain.ts';

const DURATIONS: z.ZodType<DurationsShape> = objectOf<DurationsShape>({
  count: count('How many there were.'),
  p50Ms: z.int().nullable().describe('About how long half of them lasted at most; null for none.'),
  p99Ms: z.int().nullable().describe('About how long all but one in a hundred lasted at most.'),
}).meta({ id: 'Durations' });

const COUNTS = {
  applies: count('Locks that were granted for anything but a plan.'),
  plans: count('Locks that were granted for plans.'),
  writes: count('Versions that were stored.'),
  refused: count('Requests that were refused.'),
};

const HOUR: z.ZodType<HourShape> = objectOf<HourShape>({ at: instant('When it began.'), ...COUNTS }).meta({
  id: 'Hour',
});

const BUSY_STATE: z.ZodType<BusyStateShape> = objectOf<BusyStateShape>({
  address: text('`project/key` or `project/key@workspace`'),
  ...COUNTS,
  waits: DURATIONS,
  holds: DURATIONS,
}).meta({ id: 'BusyState' });

const STORAGE: z.ZodType<StorageShape> = objectOf<StorageShape>({
  project: z.string(),
  states: count('States, deleted ones too until they are purged.'),
  versions: count('Versions of states.'),
  bytes: count('Bytes of all versions, as their states were sent.'),
}).meta({ id: 'Storage' });

export const NUMBERS: z.ZodType<NumbersShape> = objectOf<NumbersShape>({
  since: instant('Since when it was counted.'),
  hours: z.array(HOUR).describe('Those in which something happened, oldest first.'),
  waits: DURATIONS.describe('How long who got a lock had waited for it.'),
  holds: DURATIONS.describe('How long locks were held that were released.'),
  refusals: z
    .array(z.strictObject({ cause: text('`held`, `stale`, `forbidden` …'), count: z.int().min(1) }))
    .describe('The most frequent first.'),
  busiest: z.array(BUSY_STATE).describe('The busiest states, at most 20.'),
  storage: z.array(STORAGE).describe('What projects keep, the largest first.'),
}).meta({ id: 'Numbers' });

export function toNumbersShape({ since, hours, total, busiest, storage }: NumbersTold): NumbersShape {
  return {
    since: new Date(since).toISOString(),
    hours: hours.map(({ at, ...counts }) => ({ at: new Date(at).toISOString(), ...counts })),
    waits: toDurations(total.waits),
    holds: toDurations(total.holds),
    refusals: Object.entries(total.refused)
      .map(([cause, number]) => ({ cause, count: number }))
      .toSorted((a, b) => b.count - a.count),
    busiest: busiest.map(({ name, counts: { applies, plans, writes, refused, waits, holds } }) => ({
      address: name,
      applies,
      plans,
      writes,
      refused: Object.values(refused).reduce((sum, number) => sum + number, 0),
      waits: toDurations(waits),
      holds: toDurations(holds),
    })),
    storage: storage.map(({ project, states, versions, bytes }) => ({ project, states, versions, bytes })),
  };
}

function toDurations(spread: Spread): DurationsShape {
  const at = (share: number): number | null => {
    const duration = quantileOf(spread, share);
    return duration === null ? null : Math.round(duration);
  };
  return { count: countOf(spread), p50Ms: at(0.5), p99Ms: at(0.99) };
}
