import { describe, expect, it } from 'vitest';
import type { LockAnswer } from '../../src/house/locks/locks.ts';
import { explain, type Refusal } from '../../src/protocols/explain.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES } from './fixtures/built-house.ts';

const DAY = 86_400_000;
const ADMIN = callerOf('root', 'admin');
const ALICE = callerOf('alice');
const APPLY = 'OperationTypeApply';

function ask({ house }: BuiltHouse, lockId: string, operation: string): Promise<LockAnswer> {
  return house.locks.lock(ALICE, ADDRESS, {
    lockId,
    operation,
    info: Buffer.from('{}'),
    tellsHoldersApart: true,
    alias: 'http',
    wait: null,
    gone: null,
  });
}

async function guarded(engine: (typeof ENGINES)[number]): Promise<BuiltHouse> {
  const built = await BuiltHouse.build(engine);
  await built.house.projects.set(ADMIN, ADDRESS.project, { announceFirst: true });
  return built;
}

describe.each(ENGINES)('a project that wants new states announced, on %s', (engine) => {
  it('refuses the lock of an apply where there is no state, and says what to do; plans go on', async () => {
    await using built = await guarded(engine);
    const refused = await ask(built, 'a', APPLY);
    expect(refused.type).toBe('unannounced');
    const words = explain(refused as Refusal);
    expect(words).toContain('"statehouse announce acme/net/terraform.tfstate"');
    expect(words).toContain('"statehouse migrate"');
    for (const operation of ['OperationTypeRefresh', 'statehouse-exec']) {
      expect((await ask(built, 'b', operation)).type).toBe('unannounced');
    }
    expect((await ask(built, 'p', 'OperationTypePlan')).type).toBe('granted');
  });

  it('refuses a write without a lock, and keeps what was to be written', async () => {
    await using built = await guarded(engine);
    expect(await built.write(ALICE, sampleState(1))).toMatchObject({
      type: 'unannounced',
      kept: { address: ADDRESS },
    });
    expect(await built.read(ALICE)).toBe('absent');
  });

  it.each(['migration destination state', 'state-push', 'OperationTypeInvalid', 'workspace-new'])(
    'takes the first state under a lock for "%s", and any write from then on',
    async (operation) => {
      await using built = await guarded(engine);
      expect((await ask(built, 'm', operation)).type).toBe('granted');
      const claim = { kind: 'named', lockId: 'm' } as const;
      expect((await built.write(ALICE, sampleState(1), claim)).type).toBe('stored');
      await built.house.locks.unlock(ALICE, ADDRESS, { lockId: 'm', alias: null });
      expect((await ask(built, 'a', APPLY)).type).toBe('granted');
    },
  );

  it('lets an apply begin for a day once the state is announced', async () => {
    await using built = await guarded(engine);
    expect((await built.house.firstWrites.announce(callerOf('r', 'reader'), ADDRESS)).type).toBe('forbidden');
    const { clock } = built;
    expect(await built.house.firstWrites.announce(ALICE, ADDRESS)).toEqual({
      type: 'announced',
      until: clock.now() + DAY,
    });
    clock.advance(DAY);
    expect((await ask(built, 'a', APPLY)).type).toBe('unannounced');
    await built.house.firstWrites.announce(ALICE, ADDRESS);
    expect((await ask(built, 'a', APPLY)).type).toBe('granted');
    const claim = { kind: 'named', lockId: 'a' } as const;
    expect((await built.write(ALICE, sampleState(1), claim)).type).toBe('stored');
    expect((await built.house.firstWrites.announce(ALICE, ADDRESS)).type).toBe('present');
  });

  it('lets a run go on that holds the lock, guards no other project, and can be turned off', async () => {
    await using built = await BuiltHouse.build(engine);
    expect((await ask(built, 'a', APPLY)).type).toBe('granted');
    await built.house.projects.set(ADMIN, 'acme', { announceFirst: true });
    const claim = { kind: 'named', lockId: 'a' } as const;
    expect((await built.write(ALICE, sampleState(1), claim)).type).toBe('stored');
    const elsewhere = { ...ADDRESS, project: 'other' };
    expect(await built.house.firstWrites.stopsLock(elsewhere, APPLY)).toBeNull();
    const fresh = { ...ADDRESS, key: 'fresh' };
    expect(await built.house.firstWrites.stopsLock(fresh, APPLY)).not.toBeNull();
    await built.house.projects.set(ADMIN, 'acme', { announceFirst: false });
    expect(await built.house.firstWrites.stopsLock(fresh, APPLY)).toBeNull();
  });
});
