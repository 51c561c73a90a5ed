import { z } from 'zod';
import type { Milliseconds } from '../../core/instant.ts';
import { PHASE_ENDS, RUN_KINDS } from '../../core/runs/status.ts';
import type { PhaseResult, PhaseRun } from '../phase.ts';
import type { PhaseVariable } from '../phase-store.ts';
import { PHASES, RUN_PROGRAMS, RUN_TASK, type Phase } from '../records.ts';

// What agents and the server say to each other, over HTTP with JSON. Paths are under this prefix:
//
//   POST   /                    a token of a pool: tells of an agent           -> its id
//   DELETE /:agent              the agent goes
//   POST   /:agent/next?wait=   asks for a phase, for so many milliseconds     -> 204, or a phase
//
// and, with the secret of the phase in place of the token:
//
//   POST   /jobs/:run/beat?wait=    the agent is at work                       -> what it is to do
//   GET    /jobs/:run/configuration, /jobs/:run/variables
//   GET    /jobs/:run/parts/:part, PUT the same
//   POST   /jobs/:run/log?offset=   what the programs said, from there on      -> how long the log is now
//   POST   /jobs/:run/end           how the phase ended
//   POST   /jobs/:run/hand-back     nothing was begun
//   POST   /jobs/:run/take-over     another program is the agent from now on   -> two secrets in place of those of the phase
//
// 401 says that the token is not good, 404 that the agent has to tell of itself anew, 410 that the phase is not the agent's any more.
export const AGENTS_PREFIX = '/api/agents';

const NAME_MAX = 100;
const PROGRAMS_MAX = 200;

/** What an agent tells of itself. */
export const ABOUT_AGENT: z.ZodType<{
  readonly name: string;
  readonly version: string;
  readonly programs: readonly { readonly program: 'terraform' | 'tofu'; readonly version: string }[];
}> = z.object({
  name: z.string().min(1).max(NAME_MAX),
  version: z.string().max(NAME_MAX),
  programs: z
    .array(z.object({ program: z.enum(RUN_PROGRAMS), version: z.string().max(NAME_MAX) }))
    .max(PROGRAMS_MAX),
});
export type AboutAgent = z.infer<typeof ABOUT_AGENT>;

export const REGISTERED: z.ZodType<{
  readonly id: string;
  readonly pool: string;
  readonly project: string;
}> = z.object({ id: z.string(), pool: z.string(), project: z.string() });
export type Registered = z.infer<typeof REGISTERED>;

/** A phase that is given to an agent. */
export interface Job {
  /** Its lock is "" in a plan, which needs none. */
  readonly run: PhaseRun;
  readonly phase: Phase;
  /** By which the agent speaks of this phase. */
  readonly secret: string;
  /** By which the programs of the phase reach their state. */
  readonly token: string;
  /** Bytes of the log that are there already. */
  readonly logOffset: number;
  /** How long the agent may be silent before the server gives the phase up. */
  readonly lease: Milliseconds;
}

export const JOB: z.ZodType<Job> = z.object({
  run: z.object({
    id: z.string().regex(/^run-\w{1,64}$/),
    address: z.object({ project: z.string(), key: z.string(), workspace: z.string() }),
    kind: z.enum(RUN_KINDS),
    task: RUN_TASK,
    program: z.enum(RUN_PROGRAMS),
    version: z.string(),
    structured: z.boolean().optional(),
    directory: z.string(),
    workspaceName: z
      .string()
      .max(NAME_MAX * 40)
      .optional(),
    lockId: z.string(),
  }),
  phase: z.enum(PHASES),
  secret: z.string(),
  token: z.string(),
  logOffset: z.number(),
  lease: z.number().min(1_000),
});

export const SIGNAL: z.ZodType<{ readonly signal: 'go-on' | 'stop' }> = z.object({
  signal: z.enum(['go-on', 'stop']),
});

export const TAKEN_OVER: z.ZodType<{ readonly secret: string; readonly token: string }> = z.object({
  secret: z.string(),
  token: z.string(),
});

export const LOG_SIZE: z.ZodType<{ readonly size: number }> = z.object({ size: z.number() });

export const VARIABLES_TOLD: z.ZodType<readonly PhaseVariable[]> = z.array(
  z.object({
    key: z.string(),
    category: z.enum(['terraform', 'env']),
    hcl: z.boolean(),
    value: z.string(),
    overrides: z.boolean(),
  }),
);

const COUNT = z.number().int().min(0).max(1e9);
const PROBLEM_MAX = 2_000;

/** How a phase ended. */
export const PHASE_RESULT: z.ZodType<PhaseResult> = z.object({
  end: z.enum(PHASE_ENDS),
  hasChanges: z.boolean(),
  counts: z
    .object({
      additions: COUNT,
      changes: COUNT,
      destructions: COUNT,
      imports: COUNT,
      generated: z.boolean().optional(),
    })
    .nullable(),
  problem: z
    .string()
    .transform((text) => text.slice(0, PROBLEM_MAX))
    .nullable(),
});
