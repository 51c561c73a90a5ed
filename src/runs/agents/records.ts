import { z } from 'zod';
import type { Instant } from '../../core/instant.ts';
import { defineRecords, type RecordDefinition } from '../../house/records/define.ts';
import { AGENT_KIND, AGENT_POOL_KIND, AGENT_TOKEN_KIND, poolJobsKindOf } from '../../house/records/kinds.ts';
import { PHASES, RUN_PROGRAMS, type Phase, type RunProgram } from '../records.ts';

/** Agents of one project that execute its runs, under the id of their pool. */
export interface StoredPool {
  readonly project: string;
  readonly name: string;
  readonly createdAt: Instant;
  readonly createdBy: string;
}

export const AGENT_POOLS: RecordDefinition<StoredPool> = defineRecords<StoredPool>(
  AGENT_POOL_KIND,
  z.object({ project: z.string(), name: z.string(), createdAt: z.number(), createdBy: z.string() }),
);

/** What agents show to be of a pool, under its id. It is good for that alone, and no door of states knows it. */
export interface StoredToken {
  readonly pool: string;
  readonly digest: string;
  readonly description: string;
  readonly createdAt: Instant;
  readonly createdBy: string;
  /** When an agent showed it lately; absent where none ever did. */
  readonly usedAt?: Instant | undefined;
}

export const AGENT_TOKENS: RecordDefinition<StoredToken> = defineRecords<StoredToken>(
  AGENT_TOKEN_KIND,
  z.object({
    pool: z.string(),
    digest: z.string(),
    description: z.string(),
    createdAt: z.number(),
    createdBy: z.string(),
    usedAt: z.number().optional(),
  }),
);

/** A program that an agent has. */
export interface AgentProgram {
  readonly program: RunProgram;
  readonly version: string;
}

/** An agent that has told of itself, under its id. */
export interface StoredAgent {
  readonly pool: string;
  /** The token that it has shown: with it, the agent goes. */
  readonly token: string;
  readonly name: string;
  /** The version of Statehouse that it is. */
  readonly version: string;
  readonly programs: readonly AgentProgram[];
  readonly address: string;
  readonly createdAt: Instant;
  readonly seenAt: Instant;
}

export const AGENTS: RecordDefinition<StoredAgent> = defineRecords<StoredAgent>(
  AGENT_KIND,
  z.object({
    pool: z.string(),
    token: z.string(),
    name: z.string(),
    version: z.string(),
    programs: z.array(z.object({ program: z.enum(RUN_PROGRAMS), version: z.string() })),
    address: z.string(),
    createdAt: z.number(),
    seenAt: z.number(),
  }),
);

/** That a run waits for an agent of a pool, under the id of the run. Which of them executes it is said by the run itself. */
export interface PoolJob {
  readonly phase: Phase;
  readonly since: Instant;
}

export function jobsOf(pool: string): RecordDefinition<PoolJob> {
  return defineRecords(poolJobsKindOf(pool), z.object({ phase: z.enum(PHASES), since: z.number() }));
}
