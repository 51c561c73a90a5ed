import type { Address } from '../../../core/address.ts';
import type { Agent, Pool, PoolToken } from '../../../runs/agents/pools.ts';
import { executionOf } from '../../../runs/execution.ts';
import type { Runs } from '../../../runs/runs.ts';
import { toMany, toOne, type Resource } from '../json-api.ts';
import {
  emptyReply,
  isError,
  pageOf,
  readOne,
  reply,
  type Answer,
  type DoorCall,
  type Rows,
} from './call.ts';
import { invalid, notFound, refused, type HcpError } from './errors.ts';
import { withRuns, type RunCall } from './run-calls.ts';

/** Agents that execute runs: go-tfe's AgentPools, AgentTokens and Agents, as far as a pool of one organization needs them. */
export const AGENT_POOL_ROWS: Rows = {
  'agent-pools.list': {
    method: 'GET',
    path: 'organizations/:organization/agent-pools',
    run: withRuns(listPools),
  },
  'agent-pools.create': {
    method: 'POST',
    path: 'organizations/:organization/agent-pools',
    run: withRuns(createPool),
  },
  'agent-pools.read': { method: 'GET', path: 'agent-pools/:pool', run: withRuns(readPool) },
  'agent-pools.update': { method: 'PATCH', path: 'agent-pools/:pool', run: withRuns(updatePool) },
  'agent-pools.delete': { method: 'DELETE', path: 'agent-pools/:pool', run: withRuns(deletePool) },
  'agents.list': { method: 'GET', path: 'agent-pools/:pool/agents', run: withRuns(listAgents) },
  'agents.read': { method: 'GET', path: 'agents/:agent', run: withRuns(readAgent) },
  'agent-tokens.list': {
    method: 'GET',
    path: 'agent-pools/:pool/authentication-tokens',
    run: withRuns(listTokens),
  },
  'agent-tokens.create': {
    method: 'POST',
    path: 'agent-pools/:pool/authentication-tokens',
    run: withRuns(createToken),
  },
  'agent-tokens.read': { method: 'GET', path: 'authentication-tokens/:token', run: withRuns(readToken) },
  'agent-tokens.delete': {
    method: 'DELETE',
    path: 'authentication-tokens/:token',
    run: withRuns(deleteToken),
  },
};

/** Why a workspace cannot have the mode and the pool that it would have then; null where it can. */
export async function agentPoolProblem(
  { runs, house }: DoorCall,
  address: Address,
  change: Parameters<typeof executionOf>[0] | undefined,
): Promise<HcpError | null> {
  if (runs === null || change === undefined) return null;
  const before = (await house.workspaces.kept.recordOf(address))?.settings;
  const { mode, pool } = executionOf({ ...before, ...change }, runs.executesHere);
  if (mode !== 'agent') return null;
  const known = pool === null ? null : await runs.pools.find(pool);
  if (known?.project === address.project) return null;
  return invalid(
    pool === null
      ? 'the execution mode "agent" needs an agent-pool-id'
      : `there is no agent pool "${pool}" in organization ${address.project}`,
  );
}

async function listPools(call: RunCall): Promise<Answer> {
  const answer = await call.runs.pools.list(call.caller, call.params['organization'] ?? '');
  if (answer.type !== 'pools') return refused(answer);
  const asked = call.query.get('q') ?? '';
  const paged = pageOf(
    call,
    answer.pools.filter(({ name }) => name.includes(asked)),
  );
  if (isError(paged)) return paged;
  const data = await Promise.all(
    paged.items.map(async (pool) => describePool(pool, await call.runs.pools.agents(pool.id))),
  );
  return reply(call, data, { page: paged.page });
}

async function createPool(call: RunCall): Promise<Answer> {
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { name } = sent.attributes;
  if (typeof name !== 'string') return invalid('expected a name');
  const answer = await call.runs.pools.create(call.caller, call.params['organization'] ?? '', name);
  if (answer.type === 'invalid') return invalid(answer.problem);
  if (answer.type !== 'created') return refused(answer);
  return reply(call, describePool(answer.pool, []), { status: 201 });
}

async function readPool(call: RunCall): Promise<Answer> {
  const found = await lookAt(call);
  return isError(found) ? found : reply(call, describePool(found.pool, found.agents));
}

/** Its name is all that can be changed; what else is sent has to be so already. */
async function updatePool(call: RunCall): Promise<Answer> {
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { name, 'organization-scoped': scoped = true } = sent.attributes;
  if (scoped !== true) return invalid('every agent pool is organization-scoped here');
  if (name === undefined) return readPool(call);
  if (typeof name !== 'string') return invalid('expected a name');
  const pool = call.params['pool'] ?? '';
  const answer = await call.runs.pools.rename(call.caller, pool, name);
  if (answer.type === 'invalid') return invalid(answer.problem);
  if (answer.type === 'absent') return notFound('the agent pool');
  if (answer.type !== 'renamed') return refused(answer);
  return reply(call, describePool(answer.pool, await call.runs.pools.agents(pool)));
}

async function deletePool(call: RunCall): Promise<Answer> {
  const answer = await call.runs.pools.remove(call.caller, call.params['pool'] ?? '');
  if (answer.type === 'removed') return emptyReply(call);
  return answer.type === 'absent' ? notFound('the agent pool') : refused(answer);
}

async function listAgents(call: RunCall): Promise<Answer> {
  const found = await lookAt(call);
  if (isError(found)) return found;
  const paged = pageOf(call, found.agents);
  if (isError(paged)) return paged;
  const atWork = await call.runs.jobs.atWork();
  const data = paged.items.map((agent) => describeAgent(agent, atWork.has(agent.id)));
  return reply(call, data, { page: paged.page });
}

async function readAgent(call: RunCall): Promise<Answer> {
  const answer = await call.runs.pools.lookAtAgent(call.caller, call.params['agent'] ?? '');
  if (answer.type === 'absent') return notFound('the agent');
  if (answer.type !== 'agent') return refused(answer);
  const { agent } = answer;
  return reply(call, describeAgent(agent, (await call.runs.jobs.atWork()).has(agent.id)));
}

async function readToken(call: RunCall): Promise<Answer> {
  const answer = await call.runs.pools.lookAtToken(call.caller, call.params['token'] ?? '');
  if (answer.type === 'absent') return notFound('the token');
  return answer.type === 'token' ? reply(call, describeToken(answer.token)) : refused(answer);
}

async function listTokens(call: RunCall): Promise<Answer> {
  const found = await lookAt(call);
  if (isError(found)) return found;
  const paged = pageOf(call, found.tokens);
  if (isError(paged)) return paged;
  return reply(
    call,
    paged.items.map((token) => describeToken(token)),
    { page: paged.page },
  );
}

async function createToken(call: RunCall): Promise<Answer> {
  const sent = await readOne(call);
  if (isError(sent)) return sent;
  const { description } = sent.attributes;
  if (typeof description !== 'string') return invalid('expected a description');
  const answer = await call.runs.pools.addToken(call.caller, call.params['pool'] ?? '', description);
  if (answer.type === 'invalid') return invalid(answer.problem);
  if (answer.type === 'absent') return notFound('the agent pool');
  if (answer.type !== 'added') return refused(answer);
  return reply(call, describeToken(answer.token, answer.text), { status: 201 });
}

async function deleteToken(call: RunCall): Promise<Answer> {
  const answer = await call.runs.pools.revokeToken(call.caller, call.params['token'] ?? '');
  if (answer.type === 'revoked') return emptyReply(call);
  return answer.type === 'absent' ? notFound('the token') : refused(answer);
}

type Looked = Extract<Awaited<ReturnType<Runs['pools']['look']>>, { readonly type: 'pool' }>;

async function lookAt(call: RunCall): Promise<Looked | HcpError> {
  const answer = await call.runs.pools.look(call.caller, call.params['pool'] ?? '');
  if (answer.type === 'pool') return answer;
  return answer.type === 'absent' ? notFound('the agent pool') : refused(answer);
}

function describePool(pool: Pool, agents: readonly Agent[]): Resource {
  return {
    id: pool.id,
    type: 'agent-pools',
    attributes: {
      name: pool.name,
      'created-at': new Date(pool.createdAt).toISOString(),
      'organization-scoped': true,
      'agent-count': agents.filter(({ isGone }) => !isGone).length,
    },
    relationships: {
      organization: toOne({ id: pool.project, type: 'organizations' }),
      workspaces: toMany([]),
      'allowed-workspaces': toMany([]),
    },
  };
}

function describeAgent({ id, name, address, seenAt, isGone }: Agent, isBusy: boolean): Resource {
  return {
    id,
    type: 'agents',
    attributes: {
      name,
      'ip-address': address,
      status: isGone ? 'unknown' : isBusy ? 'busy' : 'idle',
      'last-ping-at': new Date(seenAt).toISOString(),
    },
  };
}

function describeToken(
  { id, description, createdAt, usedAt }: PoolToken,
  token: string | null = null,
): Resource {
  return {
    id,
    type: 'authentication-tokens',
    attributes: {
      description,
      'created-at': new Date(createdAt).toISOString(),
      'last-used-at': usedAt === undefined ? null : new Date(usedAt).toISOString(),
      token,
    },
  };
}
