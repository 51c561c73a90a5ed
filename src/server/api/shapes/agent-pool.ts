import { z } from 'zod';
import type {
  AgentPoolDetailShape,
  AgentPoolShape,
  AgentShape,
  AgentTokenShape,
  ExecutionShape,
  NewAgentTokenShape,
} from '../../../api/shapes/agent-pool.ts';
import type { Agent, Pool, PoolToken } from '../../../runs/agents/pools.ts';
import { EXECUTION_MODES } from '../../../runs/execution.ts';
import { instant, objectOf, text } from './plain.ts';

const MADE = {
  createdAt: instant('When it was made.'),
  createdBy: text('Who made it, as authenticated.'),
};
const POOL_FIELDS = {
  id: text('Its ID, `apool-…`.'),
  project: text('The project whose runs it executes.'),
  name: text('Its name in the project.'),
  ...MADE,
};
const TOKEN_FIELDS = {
  id: text('Its ID, `at-…`.'),
  description: text('What its maker said of it.'),
  ...MADE,
};

export const AGENT_POOL: z.ZodType<AgentPoolShape> = objectOf<AgentPoolShape>(POOL_FIELDS).meta({
  id: 'AgentPool',
});

export const AGENT_POOLS: z.ZodType<{ readonly pools: readonly AgentPoolShape[] }> = z
  .strictObject({ pools: z.array(AGENT_POOL) })
  .meta({ id: 'AgentPools' });

const TOKEN: z.ZodType<AgentTokenShape> = objectOf<AgentTokenShape>(TOKEN_FIELDS).meta({ id: 'AgentToken' });

export const NEW_AGENT_TOKEN: z.ZodType<NewAgentTokenShape> = objectOf<NewAgentTokenShape>({
  ...TOKEN_FIELDS,
  token: text('What an agent is started with. Shown in this answer only.'),
}).meta({ id: 'NewAgentToken' });

const AGENT: z.ZodType<AgentShape> = objectOf<AgentShape>({
  id: text('Its ID, `agent-…`.'),
  name: text('What it calls itself.'),
  version: text('The version of Statehouse that it is.'),
  programs: z.array(z.string()).describe('What it can execute runs with, such as `terraform 1.11.4`.'),
  address: text('The network address that it comes from.'),
  seenAt: instant('When it was last heard of.'),
  gone: z.boolean().describe('It was silent for longer than a living one is.'),
}).meta({ id: 'Agent' });

export const AGENT_POOL_DETAIL: z.ZodType<AgentPoolDetailShape> = objectOf<AgentPoolDetailShape>({
  ...POOL_FIELDS,
  tokens: z.array(TOKEN).describe('What agents show to be of it, without the secrets.'),
  agents: z.array(AGENT).describe('Those that have told of themselves lately.'),
}).meta({ id: 'AgentPoolDetail' });

export const EXECUTION: z.ZodType<ExecutionShape> = objectOf<ExecutionShape>({
  mode: z
    .enum(EXECUTION_MODES)
    .describe('`local`: by its clients, `remote`: by the server, `agent`: by agents.'),
  pool: z.string().nullable().describe('The ID of its pool, where agents execute.'),
}).meta({ id: 'Execution' });

export function toPoolShape({ createdAt, ...pool }: Pool): AgentPoolShape {
  return { ...pool, createdAt: toText(createdAt) };
}

export function toTokenShape({ id, description, createdAt, createdBy }: PoolToken): AgentTokenShape {
  return { id, description, createdAt: toText(createdAt), createdBy };
}

export function toAgentShape({ id, name, version, programs, address, seenAt, isGone }: Agent): AgentShape {
  const installed = programs.map((one) => `${one.program} ${one.version}`);
  return { id, name, version, programs: installed, address, seenAt: toText(seenAt), gone: isGone };
}

function toText(at: number): string {
  return new Date(at).toISOString();
}
