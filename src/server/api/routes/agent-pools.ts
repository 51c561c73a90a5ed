import { z } from 'zod';
import type { DoorReply } from '../../../protocols/door.ts';
import type { Refusal } from '../../../protocols/explain.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { EXECUTION_MODES } from '../../../runs/execution.ts';
import { jsonReply } from '../json-reply.ts';
import { ADDRESS, PROJECT, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { NO_BODY, NO_QUERY, type Route } from '../route.ts';
import {
  AGENT_POOL,
  AGENT_POOL_DETAIL,
  AGENT_POOLS,
  EXECUTION,
  NEW_AGENT_TOKEN,
  toAgentShape,
  toPoolShape,
  toTokenShape,
} from '../shapes/agent-pool.ts';
import { defineRunRoute } from './run-route.ts';

const NEEDS = 'admin of the project';

/** The agents that execute runs, and which workspaces have theirs executed by whom. */
export const AGENT_POOL_ROUTES: readonly Route[] = [
  defineRunRoute({
    operation: 'list-agent-pools',
    summary: 'Lists the agent pools of a project.',
    needs: 'reader',
    query: z.strictObject({ project: PROJECT }),
    body: NO_BODY,
    answer: { status: 200, says: 'The pools, by name.', schema: AGENT_POOLS },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { project } }) => {
      const answer = await runs.pools.list(caller, project);
      if (answer.type !== 'pools') return refusalReply(operation, null, answer);
      return jsonReply(operation, { pools: answer.pools.map(toPoolShape) });
    },
  }),
  defineRunRoute({
    operation: 'create-agent-pool',
    summary: 'Makes an agent pool, unless the project has one of that name.',
    needs: NEEDS,
    query: NO_QUERY,
    body: z.strictObject({ project: PROJECT, name: WORD }).meta({ id: 'AgentPoolWanted' }),
    answer: { status: 201, says: 'The pool.', schema: AGENT_POOL },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, body: { project, name } }) => {
      const answer = await runs.pools.create(caller, project, name);
      if (answer.type !== 'created') return refused(operation, answer);
      return jsonReply(operation, toPoolShape(answer.pool), 201);
    },
  }),
  defineRunRoute({
    operation: 'show-agent-pool',
    summary: 'Shows an agent pool with its tokens and its agents.',
    needs: NEEDS,
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The pool.', schema: AGENT_POOL_DETAIL },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, name }) => {
      const answer = await runs.pools.look(caller, name);
      if (answer.type !== 'pool') return refused(operation, answer);
      return jsonReply(operation, {
        ...toPoolShape(answer.pool),
        tokens: answer.tokens.map(toTokenShape),
        agents: answer.agents.map(toAgentShape),
      });
    },
  }),
  defineRunRoute({
    operation: 'remove-agent-pool',
    summary: 'Removes an agent pool with its tokens. Runs that wait for it wait on, and can be discarded.',
    needs: NEEDS,
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'What is gone.', schema: z.strictObject({ removed: z.string() }) },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, name }) => {
      const answer = await runs.pools.remove(caller, name);
      if (answer.type !== 'removed') return refused(operation, answer);
      return jsonReply(operation, { removed: name });
    },
  }),
  defineRunRoute({
    operation: 'create-agent-token',
    summary: 'Makes a token with which agents of a pool are started. It is shown in this answer only.',
    needs: NEEDS,
    about: 'The token takes jobs of its pool, with what their runs may do, and opens nothing else.',
    query: NO_QUERY,
    body: z
      .strictObject({ pool: WORD, description: z.string().max(200).default('') })
      .meta({ id: 'AgentTokenWanted' }),
    answer: { status: 201, says: 'The token.', schema: NEW_AGENT_TOKEN },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, body: { pool, description } }) => {
      const answer = await runs.pools.addToken(caller, pool, description);
      if (answer.type !== 'added') return refused(operation, answer);
      return jsonReply(operation, { ...toTokenShape(answer.token), token: answer.text }, 201);
    },
  }),
  defineRunRoute({
    operation: 'revoke-agent-token',
    summary: 'Revokes a token of a pool: its agents finish what they have, and are given nothing more.',
    needs: NEEDS,
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'What is gone.', schema: z.strictObject({ revoked: z.string() }) },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, name }) => {
      const answer = await runs.pools.revokeToken(caller, name);
      if (answer.type !== 'revoked') return refused(operation, answer);
      return jsonReply(operation, { revoked: name });
    },
  }),
  defineRunRoute({
    operation: 'show-execution',
    summary: 'Tells where the runs of a workspace are executed.',
    needs: 'reader',
    query: z.strictObject({ address: ADDRESS }),
    body: NO_BODY,
    answer: { status: 200, says: 'Where.', schema: EXECUTION },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { address } }) => {
      const answer = await runs.executions.show(caller, address);
      if (answer.type !== 'execution') return refusalReply(operation, address, answer);
      return jsonReply(operation, answer.execution);
    },
  }),
  defineRunRoute({
    operation: 'set-execution',
    summary:
      'Says where the runs of a workspace are executed. Runs that were made already stay where they are.',
    needs: 'writer',
    query: z.strictObject({ address: ADDRESS }),
    body: z
      .strictObject({
        mode: z.enum(EXECUTION_MODES),
        pool: WORD.nullable().default(null).describe('Name or ID of a pool of the project, for `agent`.'),
      })
      .meta({ id: 'ExecutionWanted' }),
    answer: { status: 200, says: 'Where.', schema: EXECUTION },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, query: { address }, body }) => {
      const answer = await runs.executions.set(caller, address, body);
      if (answer.type === 'set') return jsonReply(operation, answer.execution);
      if (answer.type === 'full')
        return invalid(operation, `there are ${answer.limit} workspaces already: delete some`);
      return answer.type === 'invalid'
        ? invalid(operation, answer.problem)
        : refusalReply(operation, address, answer);
    },
  }),
];

function refused(
  operation: string,
  answer: { readonly type: 'invalid'; readonly problem: string } | Exclude<Refusal, { type: 'invalid' }>,
): DoorReply {
  if (answer.type === 'invalid') return invalid(operation, answer.problem);
  if (answer.type === 'absent')
    return problemReply(operation, 'absent', {
      status: 404,
      message: 'there is no such agent pool or token',
    });
  return refusalReply(operation, null, answer);
}

function invalid(operation: string, message: string): DoorReply {
  return problemReply(operation, 'invalid', { status: 422, message });
}
