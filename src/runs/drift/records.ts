import { z } from 'zod';
import type { Instant } from '../../core/instant.ts';
import type { Schedule } from '../../core/runs/schedule.ts';
import { defineRecords, type RecordDefinition } from '../../house/records/define.ts';
import { DRIFT_KIND, DRIFT_SCHEDULE_KIND } from '../../house/records/kinds.ts';

/** When a workspace is looked at, under the text form of its address. */
export interface StoredSchedule {
  readonly schedule: Schedule;
  readonly setAt: Instant;
  readonly setBy: string;
  readonly dueAt: Instant;
  /** The run that was last about to be made, and when; null for none. */
  readonly making: { readonly run: string; readonly at: Instant } | null;
}

export const DRIFT_SCHEDULES: RecordDefinition<StoredSchedule> = defineRecords<StoredSchedule>(
  DRIFT_SCHEDULE_KIND,
  z.object({
    schedule: z.union([z.object({ every: z.number() }), z.object({ daily: z.number() })]),
    setAt: z.number(),
    setBy: z.string(),
    dueAt: z.number(),
    making: z.object({ run: z.string(), at: z.number() }).nullable(),
  }),
);

/** What the last check of a workspace found, under the text form of its address; what has drifted is its body. */
export interface StoredDrift {
  /** The check that ended last, and when it was begun; the ones before are of no interest. */
  readonly run: string | null;
  readonly at: Instant;
  /** Why that check found nothing out; null where it did. What follows is then of the one before. */
  readonly problem: string | null;
  readonly found: DriftFound | null;
}

/** What a check has found. */
export interface DriftFound {
  readonly run: string;
  readonly at: Instant;
  /** The version of the state that was compared with what is there. */
  readonly version: number;
  /** Whether the state says something else than what is there. */
  readonly drifted: boolean;
  /** Resources that have drifted; 0 where outputs alone have. */
  readonly count: number;
  /** The same for the same resources and actions. */
  readonly digest: string;
}

export const DRIFTS: RecordDefinition<StoredDrift> = defineRecords<StoredDrift>(
  DRIFT_KIND,
  z.object({
    run: z.string().nullable(),
    at: z.number(),
    problem: z.string().nullable(),
    found: z
      .object({
        run: z.string(),
        at: z.number(),
        version: z.number(),
        drifted: z.boolean(),
        count: z.number(),
        digest: z.string(),
      })
      .nullable(),
  }),
);

/** What was done to resources behind the state's back. */
export const DRIFT_ACTIONS = ['update', 'delete'] as const;

/** A resource that is not as the state says. No value of it is kept. */
export interface DriftedResource {
  readonly address: string;
  readonly action: (typeof DRIFT_ACTIONS)[number];
}

export const DRIFTED: z.ZodType<readonly DriftedResource[]> = z.array(
  z.object({ address: z.string(), action: z.enum(DRIFT_ACTIONS) }),
);
