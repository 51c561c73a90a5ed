import type { Address } from '../core/address.ts';
import type { Caller, Shut } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { AgentPools } from './agents/pools.ts';
import { executionOf, MODE_SETTING, POOL_SETTING, type Execution } from './execution.ts';
import type { RunPrograms } from './programs.ts';
import type { RunWanted } from './wanted.ts';

interface ExecutionsOptions {
  readonly house: House;
  readonly pools: AgentPools;
  readonly programs: RunPrograms;
  /** Whether this server executes runs itself. */
  readonly executesHere: boolean;
}

/** Where the runs of each workspace are executed: on this server, by agents, or by its clients. */
export class Executions {
  readonly #options: ExecutionsOptions;

  constructor(options: ExecutionsOptions) {
    this.#options = options;
  }

  /** Asks for no right: for those who were let in already. */
  async of(address: Address): Promise<Execution> {
    const record = await this.#options.house.workspaces.kept.recordOf(address);
    return executionOf(record?.settings ?? null, this.#options.executesHere);
  }

  /** Tells where the runs of a workspace are executed. */
  async show(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'execution'; readonly execution: Execution } | Shut> {
    const refusal = await this.#options.house.gate.on(caller, 'read', address);
    return refusal ?? { type: 'execution', execution: await this.of(address) };
  }

  /** Says where the runs of a workspace are executed. @param execution its pool by name or id, for the mode `agent` */
  async set(
    caller: Caller,
    address: Address,
    { mode, pool }: Execution,
  ): Promise<
    | { readonly type: 'set'; readonly execution: Execution }
    | { readonly type: 'invalid'; readonly problem: string }
    | { readonly type: 'full'; readonly limit: number }
    | Shut
  > {
    const { kept } = this.#options.house.workspaces;
    const refusal = await this.#options.house.gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    if (mode === 'remote' && !this.#options.executesHere)
      return {
        type: 'invalid',
        problem: 'this server executes nothing itself: give the workspace an agent pool',
      };
    const known = mode === 'agent' ? await this.#options.pools.named(address.project, pool ?? '') : null;
    if (mode === 'agent' && known === null)
      return { type: 'invalid', problem: `project ${address.project} has no agent pool "${pool ?? ''}"` };
    const settings = { [MODE_SETTING]: mode, [POOL_SETTING]: known?.id ?? null };
    const made = await kept.make(caller, address, { settings });
    if (made.type !== 'made-before' && made.type !== 'made') return made;
    const set = made.type === 'made' ? made : await kept.set(caller, address, () => ({ settings }));
    // Somebody has deleted it just now.
    if (set.type === 'absent') return { type: 'invalid', problem: 'the workspace is gone' };
    if (set.type !== 'set' && set.type !== 'made') return set;
    return { type: 'set', execution: { mode, pool: known?.id ?? null } };
  }

  /** Who is to execute a run, and with which version. */
  async placeFor(
    address: Address,
    { program, version }: RunWanted,
  ): Promise<{ readonly version: string; readonly pool: string | null } | { readonly problem: string }> {
    const { mode, pool } = await this.of(address);
    if (mode === 'agent') {
      const known = pool === null ? null : await this.#options.pools.find(pool);
      if (known?.project !== address.project)
        return { problem: 'the agent pool of the workspace is gone: give it another one' };
      const found = await this.#options.pools.versionFor(known.id, program, version);
      return 'problem' in found ? found : { ...found, pool };
    }
    if (!this.#options.executesHere)
      return { problem: 'this server executes nothing itself: give the workspace an agent pool' };
    const installed = await this.#options.programs.find(program, version);
    return installed.type === 'missing' ? installed : { version: installed.version, pool: null };
  }
}
