import { timingSafeEqual } from 'node:crypto';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Caller, Shut } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import { newSecret } from '../../house/identity/new-pair.ts';
import type { Watches } from '../../house/watched.ts';
import type { Records } from '../../house/records/records.ts';
import type { Entropy } from '../../ports/entropy.ts';
import { newResourceId } from '../ids.ts';
import type { RunProgram } from '../records.ts';
import { compareVersions } from '../programs.ts';
import { digestOf } from '../tokens.ts';
import {
  AGENT_POOLS,
  AGENT_TOKENS,
  AGENTS,
  type StoredAgent,
  type StoredPool,
  type StoredToken,
} from './records.ts';

/** An agent that has not been heard of for so long is gone. */
export const AGENT_GONE: Milliseconds = 25_000;
/** What an agent that is gone is still shown for. */
const AGENT_KEPT: Milliseconds = 3_600_000;
/** How exactly it is kept when a token was used. */
const USED: Milliseconds = 60_000;
const POOLS_MAX = 1_000;
const TOKENS_OF_POOL_MAX = 50;
const AGENTS_OF_POOL_MAX = 1_000;
const NAME = /^[A-Za-z0-9][\w. -]{0,89}$/;
const DESCRIPTION_MAX = 200;

/** What the audit log calls what somebody was refused. */
export const WATCHED_POOLS: Watches<AgentPools> = {
  create: { action: 'agent-pool-set' },
  rename: { action: 'agent-pool-set' },
  list: { action: 'list-agent-pools', looks: true },
  look: { action: 'list-agent-pools', looks: true },
  lookAtAgent: { action: 'list-agent-pools', looks: true },
  lookAtToken: { action: 'list-agent-pools', looks: true },
  remove: { action: 'agent-pool-drop' },
  addToken: { action: 'agent-token-set' },
  revokeToken: { action: 'agent-token-drop' },
};

/** A pool with its id. */
export interface Pool extends StoredPool {
  readonly id: string;
}

/** A token with its id; what proves it is told once. */
export interface PoolToken extends Omit<StoredToken, 'digest'> {
  readonly id: string;
}

/** An agent with its id, and whether it lives. */
export interface Agent extends StoredAgent {
  readonly id: string;
  readonly isGone: boolean;
}

export type Invalid = { readonly type: 'invalid'; readonly problem: string };
type Absent = { readonly type: 'absent' };

/** What somebody who shows a token may take jobs of. */
export interface Admitted {
  readonly pool: Pool;
  readonly token: string;
}

/** The pools of agents, their tokens, and the agents that have told of themselves. For admins of all of a project. */
export class AgentPools {
  readonly #house: House;
  readonly #entropy: Entropy;
  readonly #pools: Records<StoredPool>;
  readonly #tokens: Records<StoredToken>;
  readonly #agents: Records<StoredAgent>;

  constructor(options: { house: House; entropy: Entropy }) {
    this.#house = options.house;
    this.#entropy = options.entropy;
    this.#pools = options.house.records(AGENT_POOLS);
    this.#tokens = options.house.records(AGENT_TOKENS);
    this.#agents = options.house.records(AGENTS);
  }

  /** Makes a pool, unless the project has one of that name: then it is that one. */
  async create(
    caller: Caller,
    project: string,
    name: string,
  ): Promise<{ readonly type: 'created'; readonly pool: Pool } | Invalid | Shut> {
    const refusal = this.#house.gate.inAllOf(caller, 'manage', project);
    if (refusal !== null) return refusal;
    if (!NAME.test(name)) return NO_NAME;
    const known = await this.#pools.list();
    const same = known.find(({ record }) => record.project === project && record.name === name);
    if (same !== undefined) return { type: 'created', pool: { id: same.name, ...same.record } };
    if (known.length >= POOLS_MAX) return invalid(`the server has ${POOLS_MAX} pools: remove some`);
    const id = newResourceId('apool', this.#entropy);
    const createdAt = await this.#house.now();
    const stored = { project, name, createdAt, createdBy: caller.identity.subject };
    await this.#pools.put(caller, id, stored);
    return { type: 'created', pool: { id, ...stored } };
  }

  /** The pools of a project, by name: for whoever may list something in it, since a workspace names its pool. */
  async list(
    caller: Caller,
    project: string,
  ): Promise<{ readonly type: 'pools'; readonly pools: readonly Pool[] } | Shut> {
    const refusal = this.#house.gate.inProject(caller, 'list', project);
    if (refusal !== null) return refusal;
    const pools = (await this.#pools.list())
      .filter(({ record }) => record.project === project)
      .map(({ name: id, record }) => ({ id, ...record }));
    return { type: 'pools', pools: pools.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  /** A pool, its tokens and its agents, for admins of all of its project. */
  async look(
    caller: Caller,
    id: string,
  ): Promise<
    | {
        readonly type: 'pool';
        readonly pool: Pool;
        readonly tokens: readonly PoolToken[];
        readonly agents: readonly Agent[];
      }
    | Absent
    | Shut
  > {
    const pool = await this.#managed(caller, id);
    if ('type' in pool) return pool;
    const tokens = (await this.#tokens.list()).filter(({ record }) => record.pool === id);
    return {
      type: 'pool',
      pool,
      tokens: tokens.map(({ name, record: { digest: _digest, ...rest } }) => ({ id: name, ...rest })),
      agents: await this.agents(id),
    };
  }

  /** Gives a pool another name, that no other one of its project has. */
  async rename(
    caller: Caller,
    id: string,
    name: string,
  ): Promise<{ readonly type: 'renamed'; readonly pool: Pool } | Invalid | Absent | Shut> {
    const pool = await this.#managed(caller, id);
    if ('type' in pool) return pool;
    if (!NAME.test(name)) return NO_NAME;
    const same = await this.named(pool.project, name);
    if (same !== null && same.id !== id)
      return invalid(`project ${pool.project} has an agent pool "${name}" already`);
    const stored = await this.#pools.update(caller, id, (before) =>
      before === null ? null : { ...before, name },
    );
    return stored === null ? { type: 'absent' } : { type: 'renamed', pool: { id, ...stored } };
  }

  /** An agent, for admins of all of its project. */
  async lookAtAgent(
    caller: Caller,
    id: string,
  ): Promise<{ readonly type: 'agent'; readonly agent: Agent } | Absent | Shut> {
    const stored = await this.#agents.one(id);
    const pool = stored === null ? null : await this.#managed(caller, stored.pool);
    if (stored === null || pool === null) return { type: 'absent' };
    if ('type' in pool) return pool;
    const isSilent = isGone(stored, await this.#house.now());
    return { type: 'agent', agent: { id, ...stored, isGone: isSilent } };
  }

  /** A token without what proves it, for admins of all of its pool's project. */
  async lookAtToken(
    caller: Caller,
    id: string,
  ): Promise<{ readonly type: 'token'; readonly token: PoolToken } | Absent | Shut> {
    const stored = await this.#tokens.one(id);
    const pool = stored === null ? null : await this.#managed(caller, stored.pool);
    if (stored === null || pool === null) return { type: 'absent' };
    if ('type' in pool) return pool;
    const { digest: _digest, ...rest } = stored;
    return { type: 'token', token: { id, ...rest } };
  }

  /** Removes a pool with its tokens. Runs that wait for it wait on, and can be discarded. */
  async remove(caller: Caller, id: string): Promise<{ readonly type: 'removed' } | Absent | Shut> {
    const pool = await this.#managed(caller, id);
    if ('type' in pool) return pool;
    const tokens = (await this.#tokens.list()).filter(({ record }) => record.pool === id);
    if (tokens.length > 0) await this.#tokens.drop(caller, ...tokens.map(({ name }) => name));
    await this.#pools.drop(caller, id);
    return { type: 'removed' };
  }

  /** Makes a token by which agents are of a pool. Its secret is told in this answer alone. */
  async addToken(
    caller: Caller,
    id: string,
    description: string,
  ): Promise<
    { readonly type: 'added'; readonly token: PoolToken; readonly text: string } | Invalid | Absent | Shut
  > {
    const pool = await this.#managed(caller, id);
    if ('type' in pool) return pool;
    if (description.length > DESCRIPTION_MAX)
      return invalid(`a description has at most ${DESCRIPTION_MAX} characters`);
    const own = (await this.#tokens.list()).filter(({ record }) => record.pool === id);
    if (own.length >= TOKENS_OF_POOL_MAX)
      return invalid(`the pool has ${TOKENS_OF_POOL_MAX} tokens: revoke some`);
    const token = newResourceId('at', this.#entropy);
    const secret = newSecret(this.#entropy);
    const createdAt = await this.#house.now();
    const stored = { pool: id, description, createdAt, createdBy: caller.identity.subject };
    await this.#tokens.put(caller, token, { ...stored, digest: digestOf(secret) });
    return { type: 'added', token: { id: token, ...stored }, text: `${token}.${secret}` };
  }

  /** Revokes a token: its agents are given no job any more, and finish the one that they have. */
  async revokeToken(caller: Caller, token: string): Promise<{ readonly type: 'revoked' } | Absent | Shut> {
    const stored = await this.#tokens.one(token);
    const pool = stored === null ? null : await this.#managed(caller, stored.pool);
    if (pool === null) return { type: 'absent' };
    if ('type' in pool) return pool;
    await this.#tokens.drop(caller, token);
    return { type: 'revoked' };
  }

  /** What a token opens; null for one that is not good, or not any more. */
  async admit(text: string): Promise<Admitted | null> {
    const dot = text.indexOf('.');
    if (dot < 1 || text.length > 200) return null;
    const id = text.slice(0, dot);
    const stored = await this.#tokens.one(id);
    const known = Buffer.from(stored?.digest ?? digestOf(''), 'hex');
    const isRight = timingSafeEqual(Buffer.from(digestOf(text.slice(dot + 1)), 'hex'), known);
    const pool = stored === null || !isRight ? null : await this.find(stored.pool);
    return pool === null ? null : { pool, token: id };
  }

  /** Whether what was shown to be let in is good still. */
  async holds({ token, pool }: Admitted): Promise<boolean> {
    return (await this.#tokens.one(token))?.pool === pool.id;
  }

  /** A pool, for who has been let in already. */
  async find(id: string): Promise<Pool | null> {
    const stored = await this.#pools.one(id);
    return stored === null ? null : { id, ...stored };
  }

  /** The pool of that name or id in a project; null for none. */
  async named(project: string, text: string): Promise<Pool | null> {
    const found = (await this.#pools.list()).find(
      ({ name, record }) => record.project === project && (record.name === text || name === text),
    );
    return found === undefined ? null : { id: found.name, ...found.record };
  }

  /** An agent tells of itself. */
  async register(
    { pool, token }: Admitted,
    told: Pick<StoredAgent, 'name' | 'version' | 'programs' | 'address'>,
  ): Promise<{ readonly type: 'registered'; readonly id: string } | Invalid> {
    const known = await this.agents(pool.id);
    if (known.length >= AGENTS_OF_POOL_MAX)
      return invalid(`the pool has ${AGENTS_OF_POOL_MAX} agents: try later`);
    const id = newResourceId('agent', this.#entropy);
    const now = await this.#house.now();
    await this.#agents.put(null, id, { ...told, pool: pool.id, token, createdAt: now, seenAt: now });
    await this.#used(token, now);
    return { type: 'registered', id };
  }

  /** An agent is there. @returns what it has told of itself; null when it is unknown, or of another pool */
  async seen(id: string, { pool, token }: Admitted): Promise<StoredAgent | null> {
    const known = await this.#agents.one(id);
    if (known?.pool !== pool.id) return null;
    const seenAt = await this.#house.now();
    await this.#used(token, seenAt);
    return this.#agents.update(null, id, (before) => (before === null ? null : { ...before, seenAt }));
  }

  /** An agent speaks of the phase that it executes. */
  async busy(id: string): Promise<void> {
    const seenAt = await this.#house.now();
    await this.#agents.update(null, id, (before) => (before === null ? null : { ...before, seenAt }));
  }

  /** An agent goes. */
  async leave(id: string, { pool }: Admitted): Promise<void> {
    if ((await this.#agents.one(id))?.pool === pool.id) await this.#agents.drop(null, id);
  }

  /** The agents of a pool. Those that have been gone for long are forgotten. */
  async agents(pool: string): Promise<readonly Agent[]> {
    return (await this.everywhere()).filter((agent) => agent.pool === pool);
  }

  /** The agents of all pools. */
  async everywhere(): Promise<readonly Agent[]> {
    const now = await this.#house.now();
    const all = await this.#agents.list();
    const old = all.filter(({ record }) => now - record.seenAt > AGENT_KEPT).map(({ name }) => name);
    if (old.length > 0) await this.#agents.drop(null, ...old);
    return all
      .filter(({ name }) => !old.includes(name))
      .map(({ name: id, record }) => ({ id, ...record, isGone: isGone(record, now) }));
  }

  /** The version that a run of a pool is executed with, or why none is. @param version null for the newest */
  async versionFor(
    pool: string,
    program: RunProgram,
    version: string | null,
  ): Promise<{ readonly version: string } | { readonly problem: string }> {
    const living = (await this.agents(pool)).filter((agent) => !agent.isGone);
    const there = living.flatMap(({ programs }) => programs).filter((one) => one.program === program);
    const fitting = there.map((one) => one.version).filter((one) => version === null || one === version);
    const [best] = fitting.toSorted((a, b) => compareVersions(b, a));
    if (best !== undefined) return { version: best };
    if (living.length === 0 && version !== null) return { version };
    const wanted = version === null ? program : `${program} ${version}`;
    if (living.length === 0)
      return {
        problem: `no agent of the pool is connected: start one with "statehouse agent", or say which version of ${program} is wanted`,
      };
    const known = [...new Set(there.map((one) => one.version))].join(', ');
    return {
      problem: `no agent of the pool has ${wanted}: ${known === '' ? 'they have none' : `they have ${known}`}. Install it beside an agent, and start that anew.`,
    };
  }

  /** A token was shown. A token that was revoked meanwhile stays revoked. */
  async #used(token: string, now: Instant): Promise<void> {
    const stored = await this.#tokens.one(token);
    if (stored === null || now - (stored.usedAt ?? 0) < USED) return;
    await this.#tokens.update(null, token, (before) => (before === null ? null : { ...before, usedAt: now }));
  }

  async #managed(caller: Caller, id: string): Promise<Pool | Absent | Shut> {
    const pool = await this.find(id);
    if (pool === null) return { type: 'absent' };
    return this.#house.gate.inAllOf(caller, 'manage', pool.project) ?? pool;
  }
}

const NO_NAME = invalid('invalid name of a pool: expected 1 to 90 letters, digits, spaces and "_.-"');

function isGone({ seenAt }: Pick<StoredAgent, 'seenAt'>, now: Instant): boolean {
  return now - seenAt > AGENT_GONE;
}

function invalid(problem: string): Invalid {
  return { type: 'invalid', problem };
}
