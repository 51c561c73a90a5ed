import { z } from 'zod';
import type { Address } from '../core/address.ts';
import type { Instant } from '../core/instant.ts';
import { PHASE_ENDS, RUN_KINDS, RUN_STATUSES, type RunState, type RunStatus } from '../core/runs/status.ts';
import { defineRecords, type RecordDefinition } from '../house/records/define.ts';
import {
  CONFIGURATION_BODY_KIND,
  CONFIGURATION_KIND,
  CURRENT_CONFIGURATION_KIND,
  OPEN_RUN_KIND,
  RUN_KIND,
  RUN_NODE_KIND,
  runLogKindOf,
  runPartKindOf,
  runsOfKind,
} from '../house/records/kinds.ts';

/** The program that a run is executed with. */
export const RUN_PROGRAMS = ['terraform', 'tofu'] as const;
export type RunProgram = (typeof RUN_PROGRAMS)[number];

export const PHASES = ['plan', 'apply'] as const;
export type Phase = (typeof PHASES)[number];

/** What a run is to do, as its client said. */
export interface RunTask {
  readonly destroy: boolean;
  readonly refresh: boolean;
  readonly refreshOnly: boolean;
  readonly targets: readonly string[];
  readonly replaces: readonly string[];
  /** Generates configuration for what is imported. */
  readonly generatesConfiguration: boolean;
  /** Applies without being confirmed. */
  readonly autoApply: boolean;
}

/** What a plan would do, in resources. */
export interface PlanCounts {
  readonly additions: number;
  readonly changes: number;
  readonly destructions: number;
  readonly imports: number;
  /** Whether configuration was generated for what is imported. */
  readonly generated?: boolean | undefined;
}

/** A phase that is at work. */
export interface RunJob {
  readonly phase: Phase;
  /** Of the token by which its programs reach the state. */
  readonly digest: string;
  /** The agent that executes it, where one does. */
  readonly agent?: JobAgent | undefined;
}

/** The agent of a phase. */
export interface JobAgent {
  readonly id: string;
  readonly name: string;
  /** Of the token by which the agent, and no program of the run, speaks of this phase. */
  readonly digest: string;
  /** When it last said that it is at work. */
  readonly seenAt: Instant;
}

/** Why the server made a run by itself. */
const RUN_CAUSES = ['drift-check', 'run-trigger'] as const;
export type RunCause = (typeof RUN_CAUSES)[number];

/** A run, under its id. Its variables, its plan and its logs are kept beside it, sealed. */
export interface StoredRun extends RunState {
  readonly address: Address;
  /** The id of the configuration version. */
  readonly configuration: string;
  readonly createdAt: Instant;
  /** Who made it, as authenticated. */
  readonly createdBy: string;
  readonly message: string;
  readonly task: RunTask;
  readonly program: RunProgram;
  readonly version: string;
  /** Whether its logs are JSON, for a client that shows the plan itself. */
  readonly structured?: boolean | undefined;
  /** The directory of the configuration that is the root module; "" for its root. */
  readonly directory: string;
  /** What `terraform.workspace` is, where its client has a `cloud` block; absent for `default`. */
  readonly workspaceName?: string | undefined;
  /** What it was made for, where that is not said by whoever made it. */
  readonly cause?: RunCause | undefined;
  /** How many runs before it have each made the next by a run trigger, itself among them; absent for none. */
  readonly chain?: number | undefined;
  /** The lock that it holds, or is to hold. */
  readonly lockId: string;
  /** The node that looks after it. */
  readonly node: string;
  /** When it came into each status that it has been in. */
  readonly times: { readonly [S in RunStatus]?: Instant | undefined };
  /** What proves the programs of the phase that is at work; null while none is. */
  readonly job: RunJob | null;
  /** The pool of agents that executes it; null where the server does. */
  readonly pool: string | null;
  /** The version of the state that the plan was made of; 0 for no state, null before the plan. */
  readonly plannedOn: number | null;
  readonly counts: PlanCounts | null;
  /** Why it ended where its log does not say it; null where there is nothing to say. */
  readonly problem: string | null;
}

const ADDRESS: z.ZodType<Address> = z.object({ project: z.string(), key: z.string(), workspace: z.string() });
export const RUN_TASK: z.ZodType<RunTask> = z.object({
  destroy: z.boolean(),
  refresh: z.boolean(),
  refreshOnly: z.boolean(),
  targets: z.array(z.string()),
  replaces: z.array(z.string()),
  generatesConfiguration: z.boolean(),
  autoApply: z.boolean(),
});

const ASKED = z.object({ by: z.string(), at: z.number() }).optional();

export const RUNS: RecordDefinition<StoredRun> = defineRecords<StoredRun>(
  RUN_KIND,
  z.object({
    kind: z.enum(RUN_KINDS),
    status: z.enum(RUN_STATUSES),
    planEnd: z.enum(PHASE_ENDS).nullable(),
    applyEnd: z.enum(PHASE_ENDS).nullable(),
    hasChanges: z.boolean(),
    asked: z.object({ confirm: ASKED, discard: ASKED, cancel: ASKED, 'force-cancel': ASKED }),
    address: ADDRESS,
    configuration: z.string(),
    createdAt: z.number(),
    createdBy: z.string(),
    message: z.string(),
    task: RUN_TASK,
    program: z.enum(RUN_PROGRAMS),
    version: z.string(),
    structured: z.boolean().optional(),
    directory: z.string(),
    workspaceName: z.string().optional(),
    cause: z.enum(RUN_CAUSES).optional(),
    chain: z.number().optional(),
    lockId: z.string(),
    node: z.string(),
    times: z.partialRecord(z.enum(RUN_STATUSES), z.number()),
    job: z
      .object({
        phase: z.enum(PHASES),
        digest: z.string(),
        agent: z
          .object({ id: z.string(), name: z.string(), digest: z.string(), seenAt: z.number() })
          .optional(),
      })
      .nullable(),
    pool: z.string().nullable().default(null),
    plannedOn: z.number().nullable(),
    counts: z
      .object({
        additions: z.number(),
        changes: z.number(),
        destructions: z.number(),
        imports: z.number(),
        generated: z.boolean().optional(),
      })
      .nullable(),
    problem: z.string().nullable(),
  }),
);

export interface OpenRun {
  readonly since: Instant;
}

/** That a run is not over: so that those are found without looking at all others. */
export const OPEN_RUNS: RecordDefinition<OpenRun> = defineRecords<OpenRun>(
  OPEN_RUN_KIND,
  z.object({ since: z.number() }),
);

/** The runs of a workspace, by their ids alone. */
export function runsOf(address: string): RecordDefinition<{ readonly createdAt: Instant }> {
  return defineRecords(runsOfKind(address), z.object({ createdAt: z.number() }));
}

/** A node that looks after runs. */
export const RUN_NODES: RecordDefinition<{ readonly seenAt: Instant }> = defineRecords(
  RUN_NODE_KIND,
  z.object({ seenAt: z.number() }),
);

/** What is kept of a run beside its record. */
export const RUN_PARTS = ['variables', 'plan', 'lock-file', 'json', 'schemas'] as const;
export type RunPart = (typeof RUN_PARTS)[number];

/** The parts of a run, each with its bytes as its body. */
export function partsOf(runId: string): RecordDefinition<{ readonly size: number }> {
  return defineRecords(runPartKindOf(runId), z.object({ size: z.number() }));
}

/** A piece of a log, with its bytes as its body, under its offset. */
export interface LogPiece {
  readonly offset: number;
  readonly size: number;
  /** Nothing comes after it. */
  readonly last: boolean;
}

export function logOf(runId: string, phase: Phase): RecordDefinition<LogPiece> {
  return defineRecords(
    runLogKindOf(runId, phase),
    z.object({ offset: z.number(), size: z.number(), last: z.boolean() }),
  );
}

/** A version of the configuration that runs are made of, under its id. */
export interface StoredConfiguration {
  readonly address: Address;
  readonly status: 'pending' | 'uploaded' | 'errored';
  /** Its runs only plan. */
  readonly speculative: boolean;
  /** Its runs save their plan. */
  readonly provisional: boolean;
  readonly createdAt: Instant;
  readonly createdBy: string;
  /** Bytes of the archive; null before it came. */
  readonly size: number | null;
  readonly problem: string | null;
  /** The run that was made of it; null while none was. */
  readonly run: string | null;
}

export const CONFIGURATIONS: RecordDefinition<StoredConfiguration> = defineRecords<StoredConfiguration>(
  CONFIGURATION_KIND,
  z.object({
    address: ADDRESS,
    status: z.enum(['pending', 'uploaded', 'errored']),
    speculative: z.boolean(),
    provisional: z.boolean(),
    createdAt: z.number(),
    createdBy: z.string(),
    size: z.number().nullable(),
    problem: z.string().nullable(),
    run: z.string().nullable(),
  }),
);

/** The archive of a configuration version, as its body. */
export const CONFIGURATION_BODIES: RecordDefinition<{ readonly size: number }> = defineRecords(
  CONFIGURATION_BODY_KIND,
  z.object({ size: z.number() }),
);

/** The configuration of a workspace that was applied last, under the text form of its address. */
export interface CurrentConfiguration {
  /** The id of the configuration version. */
  readonly configuration: string;
  /** Bytes of its archive. */
  readonly size: number;
  /** The run that has applied it, and when that ended. */
  readonly run: string;
  readonly at: Instant;
  /** What it was applied with. */
  readonly program: RunProgram;
  readonly version: string;
  readonly directory: string;
  readonly workspaceName?: string | undefined;
}

export const CURRENT_CONFIGURATIONS: RecordDefinition<CurrentConfiguration> =
  defineRecords<CurrentConfiguration>(
    CURRENT_CONFIGURATION_KIND,
    z.object({
      configuration: z.string(),
      size: z.number(),
      run: z.string(),
      at: z.number(),
      program: z.enum(RUN_PROGRAMS),
      version: z.string(),
      directory: z.string(),
      workspaceName: z.string().optional(),
    }),
  );
