import { afterAll, beforeAll, describe } from 'vitest';
import type { Address } from '../core/address.ts';
import type { AddressCommand } from '../core/command.ts';
import type { Outcome, Result } from '../core/outcome.ts';
import type { Engine } from '../ports/engine.ts';
import { testKeyIdOf } from './engine-commands.ts';
import { changeContract } from './engine-contract-changes.ts';
import { durabilityContract } from './engine-contract-durability.ts';
import { indexContract } from './engine-contract-index.ts';
import { leaseContract } from './engine-contract-leases.ts';
import { lockContract } from './engine-contract-locks.ts';
import { objectContract } from './engine-contract-objects.ts';
import { queryContract } from './engine-contract-queries.ts';
import { recordContract } from './engine-contract-records.ts';
import { stateContract } from './engine-contract-states.ts';
import { usageContract } from './engine-contract-usage.ts';
import { ManualClock } from './manual-clock.ts';

/** An engine that the contract is tried on. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** Closes the engine and opens another on what it has kept; absent where nothing is kept. */
  readonly reopen?: () => Promise<Engine>;
  /** Closes what is open and removes what was kept. */
  readonly dispose: () => Promise<void>;
}

export interface EngineOptions {
  readonly clock: ManualClock;
  readonly keyIdOf: (sealed: Uint8Array) => string;
}

/** What the parts of the contract work with. */
export interface Bench {
  readonly clock: ManualClock;
  /** The engine as it is now: another one after a reopening. */
  engine(): Engine;
  reopen(): Promise<Engine>;
  /** An address that no test has used, in a project of its own. */
  address(key?: string): Address;
  /** Gives one command, and hands back what came of it. */
  give(command: AddressCommand): Promise<Outcome>;
  result(command: AddressCommand): Promise<Result>;
}

/**
 * What every engine promises, as tests. An engine that passes can be trusted with a house; `engineModel` then holds it
 * against the reference model, command by command.
 */
export function engineContract(
  name: string,
  open: (options: EngineOptions) => Promise<EngineUnderTest>,
): void {
  describe(`${name} keeps the engine contract`, () => {
    const clock = new ManualClock();
    let tried: EngineUnderTest;
    let engine: Engine;
    let projects = 0;
    const result = async (command: AddressCommand): Promise<Result> => {
      const [only] = await engine.apply([command]);
      if (only === undefined) throw new Error('no outcome came back');
      const { outcome, handovers } = only;
      if (outcome.type === 'noted' || outcome.type === 'conflict' || outcome.type === 'audit-pruned')
        throw new Error('no decision came back');
      return { outcome, handovers };
    };
    const bench: Bench = {
      clock,
      engine: () => engine,
      reopen: async () => {
        engine = (await tried.reopen?.()) ?? engine;
        return engine;
      },
      address: (key = 'net/terraform.tfstate') => {
        projects += 1;
        return { project: `p${projects}`, key, workspace: 'default' };
      },
      give: async (command) => (await result(command)).outcome,
      result,
    };

    beforeAll(async () => {
      tried = await open({ clock, keyIdOf: testKeyIdOf });
      engine = tried.engine;
    });
    afterAll(async () => {
      await tried?.dispose();
    });

    lockContract(bench);
    leaseContract(bench);
    stateContract(bench);
    recordContract(bench);
    objectContract(bench);
    queryContract(bench);
    indexContract(bench);
    changeContract(bench);
    usageContract(bench);
    durabilityContract(bench);
  });
}
