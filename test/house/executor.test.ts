import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import type { AddressCommand } from '../../src/core/command.ts';
import { CommandExecutor } from '../../src/house/executor.ts';
import type { LockInfos } from '../../src/house/locks/lock-infos.ts';
import { EngineFault, type Engine } from '../../src/ports/engine.ts';
import type { Log } from '../../src/ports/log.ts';
import type { Signals } from '../../src/ports/signals.ts';

const LEAVE: AddressCommand = {
  type: 'leave',
  address: { project: 'acme', key: 'net', workspace: 'default' },
  actor: { subject: 'token:ann', door: 'http' },
  waiter: 'one',
  seat: 'node:1',
};

/** An executor over an engine that fails so often before it answers. */
function failing(times: number, fault: EngineFault = new EngineFault('it is locked', { busy: true })) {
  let tried = 0;
  const errors: string[] = [];
  const clock = new ManualClock(1);
  const engine = {
    apply: () => {
      tried += 1;
      if (tried <= times) return Promise.reject(fault);
      return Promise.resolve([{ outcome: { type: 'left' }, handovers: [] }]);
    },
  } as unknown as Engine;
  const say = (): void => undefined;
  const log: Log = { debug: say, info: say, warn: say, error: (message) => void errors.push(message) };
  const signals = { publish: say } as unknown as Signals;
  const executor = new CommandExecutor({ engine, lockInfos: {} as LockInfos, signals, clock, log });
  return { executor, clock, errors, tried: () => tried };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

describe('what must be undone', () => {
  it('is tried until it is done: a waiter that hung up while the database was busy leaves no grant behind', async () => {
    const { executor, clock, errors, tried } = failing(6);
    executor.executeLater(LEAVE);
    await turns();
    expect(tried()).toBe(1);
    for (let second = 0; second < 60 && tried() < 7; second += 1) {
      clock.advance(1_000);
      await turns();
    }
    expect(tried()).toBe(7);
    await executor.settle();
    expect([tried(), errors]).toEqual([7, []]);
  });

  it('is tried once more when the house closes, which does not wait for a database that is away', async () => {
    const { executor, errors, tried } = failing(Infinity);
    executor.executeLater(LEAVE);
    await turns();
    await executor.settle();
    expect([tried(), errors]).toEqual([2, ['a command in the background failed']]);
  });

  it('is not tried where nothing can be trusted any more', async () => {
    const { executor, errors, tried } = failing(
      Infinity,
      new EngineFault('the disk is full', { fatal: true }),
    );
    executor.executeLater(LEAVE);
    await executor.settle();
    expect([tried(), errors]).toEqual([1, ['a command in the background failed']]);
  });
});
