import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAgent } from '../../src/cli/agent/open-agent.ts';
import type { JobClient } from '../../src/cli/agent/job-client.ts';
import type { Address } from '../../src/core/address.ts';
import { RUN_LIMITS } from '../../src/runs/limits.ts';
import type { Runs } from '../../src/runs/runs.ts';
import { ADMIN_CALLER, type TestHouse } from '../support/open-test-house.ts';

/** Makes a pool with a token. */
export async function newPool(
  runs: Runs,
  project: string,
  name = 'team',
): Promise<{ readonly id: string; readonly token: string }> {
  const made = await runs.pools.create(ADMIN_CALLER, project, name);
  if (made.type !== 'created') throw new Error(made.type);
  const added = await runs.pools.addToken(ADMIN_CALLER, made.pool.id, '');
  if (added.type !== 'added') throw new Error(added.type);
  return { id: made.pool.id, token: added.text };
}

/** Has a workspace's runs be executed by a pool. */
export async function useAgents(runs: Runs, address: Address, pool: string): Promise<void> {
  const answer = await runs.executions.set(ADMIN_CALLER, address, { mode: 'agent', pool });
  if (answer.type !== 'set') throw new Error(answer.type);
}

/** An agent in this process. */
export class PlayingAgent implements AsyncDisposable {
  readonly #directory: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  private constructor(directory: string, run: (stopped: AbortSignal) => Promise<void>) {
    this.#directory = directory;
    this.#done = run(this.#stop.signal);
    this.#done.catch(() => undefined);
  }

  static async start(
    { url }: Pick<TestHouse, 'url'>,
    token: string,
    {
      programs = null,
      slots = 1,
      name = 'agent',
      once = false,
      within = 60_000,
    }: { programs?: string | null; slots?: number; name?: string; once?: boolean; within?: number } = {},
  ): Promise<PlayingAgent> {
    const directory = await mkdtemp(join(tmpdir(), 'statehouse-agent-'));
    const agent = await openAgent({
      connection: connectionTo(url),
      token,
      name,
      isSandboxed: false,
      network: 'all',
      programs,
      directory,
      memory: RUN_LIMITS.memory,
      logLevel: 'silent',
    });
    return new PlayingAgent(directory, (stopped) => agent.run({ slots, once, stopped, within }));
  }

  /** Resolves when it has ended by itself. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** Tells it to stop. @returns what resolves when it has finished */
  stop(): Promise<void> {
    this.#stop.abort();
    return this.#done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => undefined);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export function connectionTo(url: string): ConstructorParameters<typeof JobClient>[0] {
  return { url, credential: null, ca: null, insecure: false };
}
