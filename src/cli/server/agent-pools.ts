import type { AgentPoolShape } from '../../api/shapes/agent-pool.ts';
import type { ArgumentSpec } from '../command.ts';
import { Failure } from '../failure.ts';
import type { HouseClient } from './client.ts';

/** The arguments of every command that is about one pool. */
export const POOL_ARGS: readonly ArgumentSpec[] = [
  { name: 'project', help: 'the project whose runs it executes', required: true },
  { name: 'name', help: 'the name of the pool', required: true },
];

/** The pool of that name. @throws {Failure} when the project has none */
export async function findPool(house: HouseClient, project: string, name: string): Promise<AgentPoolShape> {
  const { pools } = await house.ask('list-agent-pools', { query: { project } });
  const found = pools.find((pool) => pool.name === name || pool.id === name);
  if (found !== undefined) return found;
  const there = pools.map((pool) => pool.name).join(', ');
  throw new Failure(`project ${project} has no agent pool "${name}"`, {
    next: there === '' ? 'Make it with "statehouse agent-pool create".' : `It has ${there}.`,
  });
}
