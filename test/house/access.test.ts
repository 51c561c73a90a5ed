import { describe, expect, it } from 'vitest';
import type { Role } from '../../src/core/grant.ts';
import type { Caller } from '../../src/house/caller.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES } from './fixtures/built-house.ts';

const ADMIN = callerOf('root', 'admin');

function granted(role: Role, pattern: string): Caller {
  return {
    identity: { subject: 'token:some', grants: [{ role, pattern }] },
    door: 'test',
  };
}

function late(caller: Caller): Caller {
  return { ...caller, identity: { ...caller.identity, expiry: { at: 0, graceUntil: Infinity } } };
}

const forbidden = (action: string, address: object | null): object => ({
  type: 'forbidden',
  subject: 'token:some',
  action,
  address,
});

const IN_ACME = { project: 'acme', key: '*', workspace: '*' };

describe.each(ENGINES)('the house, on %s, says who may', (engine) => {
  it('do something to it as a whole: whose grant is for everything', async () => {
    await using built = await BuiltHouse.build(engine);
    expect(built.house.refuse(ADMIN, 'manage')).toBe(null);
    for (const caller of [granted('operator', '*'), granted('admin', 'acme/*')])
      expect(built.house.refuse(caller, 'manage')).toEqual(forbidden('manage', null));
    expect(built.house.refuse(late(ADMIN), 'manage')).toEqual({ type: 'expired' });
  });

  it('do something somewhere: whose role is enough on any address', async () => {
    await using built = await BuiltHouse.build(engine);
    expect(built.house.refuseEverywhere(granted('writer', 'acme/net@dev'), 'lock')).toBe(null);
    expect(built.house.refuseEverywhere(granted('reader', '*'), 'lock')).toEqual(forbidden('lock', null));
    expect(built.house.refuseEverywhere(late(ADMIN), 'lock')).toEqual({ type: 'expired' });
  });

  it('do something in a project', async () => {
    await using built = await BuiltHouse.build(engine);
    const { projects } = built.house;
    expect(projects.refuse(granted('reader', 'acme/net@dev'), 'list', 'acme')).toBe(null);
    const others = granted('admin', 'other/*');
    expect(projects.refuse(others, 'list', 'acme')).toEqual(forbidden('list', IN_ACME));
    expect(projects.refuse(granted('outputs', '*'), 'list', 'acme')).toEqual(forbidden('list', IN_ACME));
    expect(projects.refuse(late(ADMIN), 'list', 'acme')).toEqual({ type: 'expired' });
  });

  it('make a project, which is there from then on for those who may list it', async () => {
    await using built = await BuiltHouse.build(engine);
    const { projects } = built.house;
    expect(await projects.look(ADMIN, 'acme')).toEqual({ type: 'absent' });
    expect(await projects.make(granted('reader', '*'), 'acme')).toEqual(forbidden('write', IN_ACME));
    expect(await projects.make(late(ADMIN), 'acme')).toEqual({ type: 'expired' });
    expect(await projects.look(ADMIN, 'acme')).toEqual({ type: 'absent' });
    expect(await projects.make(granted('writer', 'acme/*'), 'acme')).toEqual({ type: 'made' });
    expect(await projects.make(ADMIN, 'acme')).toEqual({ type: 'made-before' });
    expect(await projects.look(granted('reader', 'acme/*'), 'acme')).toEqual({ type: 'present' });
    expect(await projects.look(granted('reader', 'b/*'), 'acme')).toEqual(forbidden('list', IN_ACME));
    expect(await projects.look(late(ADMIN), 'acme')).toEqual({ type: 'expired' });
  });

  it('see a project that has nothing but a state, deleted or not: who may list a state of it', async () => {
    await using built = await BuiltHouse.build(engine);
    const { projects, states } = built.house;
    await built.write(callerOf('ann'), sampleState(1));
    expect(await projects.look(granted('reader', 'acme/net/*'), 'acme')).toEqual({ type: 'present' });
    expect(await projects.look(granted('reader', 'acme/other'), 'acme')).toEqual({ type: 'absent' });
    await states.delete(callerOf('ann'), ADDRESS, { kind: 'none' });
    expect(await projects.look(ADMIN, 'acme')).toEqual({ type: 'present' });
  });

  it('know one version of a state, also of a deleted one: who may read it', async () => {
    await using built = await BuiltHouse.build(engine);
    const { history, states } = built.house;
    await built.write(callerOf('ann'), sampleState(1));
    await built.write(callerOf('ann'), sampleState(2));
    const reader = granted('reader', 'acme/*');
    expect(await history.version(reader, ADDRESS, 1)).toMatchObject({
      type: 'version',
      version: { number: 1, serial: 1n },
    });
    expect(await history.version(reader, ADDRESS, 3)).toEqual({ type: 'absent' });
    expect(await history.version(granted('outputs', '*'), ADDRESS, 1)).toEqual(
      forbidden('read-history', ADDRESS),
    );
    expect(await history.versions(granted('outputs', '*'), ADDRESS, { limit: 9 })).toEqual(
      forbidden('read-history', ADDRESS),
    );
    await states.delete(callerOf('ann'), ADDRESS, { kind: 'none' });
    expect(await history.version(reader, ADDRESS, 2)).toMatchObject({ type: 'version' });
  });

  it('read sensitive values: readers, and not who may read outputs alone', async () => {
    await using built = await BuiltHouse.build(engine);
    const { states } = built.house;
    await built.write(callerOf('ann'), sampleState(1));
    const wanted = { number: null, action: 'read-outputs', limit: 1_000_000 } as const;
    const asReader = await states.readWhole(granted('reader', '*'), ADDRESS, wanted);
    expect(asReader).toMatchObject({ type: 'whole', reveal: true });
    const ofOutputs = await states.readWhole(granted('outputs', '*'), ADDRESS, wanted);
    expect(ofOutputs).toMatchObject({ type: 'whole', reveal: false });
  });

  it('read in their grace: the newest version of what they hold the lock of, and no old one', async () => {
    await using built = await BuiltHouse.build(engine);
    const { states, history, locks } = built.house;
    for (const serial of [1, 2]) await built.write(callerOf('ann'), sampleState(serial));
    const caller = granted('admin', '*');
    const asked = { lockId: 'run', operation: 'OperationTypeApply', info: null, alias: 'test' } as const;
    await locks.lock(caller, ADDRESS, { ...asked, tellsHoldersApart: true, wait: null, gone: null });
    built.clock.advance(1_000);
    const at = built.clock.now();
    const inGrace = { ...caller, identity: { ...caller.identity, expiry: { at, graceUntil: at + 1_000 } } };
    const whole = (number: number | null, action: 'read' | 'read-outputs'): Promise<{ type: string }> =>
      states.readWhole(inGrace, ADDRESS, { number, action, limit: 1_000_000 });
    expect(await states.read(inGrace, ADDRESS)).toMatchObject({ type: 'found' });
    expect(await whole(null, 'read')).toMatchObject({ type: 'whole' });
    for (const answer of [
      await states.read(inGrace, ADDRESS, 1),
      await whole(1, 'read'),
      await whole(1, 'read-outputs'),
      await history.version(inGrace, ADDRESS, 1),
      await history.versions(inGrace, ADDRESS, { limit: 9 }),
    ])
      expect(answer).toEqual({ type: 'expired' });
  });

  it('hear of a state: who may read it', async () => {
    await using built = await BuiltHouse.build(engine);
    const { states } = built.house;
    expect(states.maySee(granted('reader', 'acme/*').identity, ADDRESS)).toBe(true);
    expect(states.maySee(granted('outputs', '*').identity, ADDRESS)).toBe(false);
    expect(states.maySee(granted('admin', 'other/*').identity, ADDRESS)).toBe(false);
  });
});

describe.each(ENGINES)('the house, on %s', (engine) => {
  it('tells what it runs on, and its time, and whether it can go on', async () => {
    await using built = await BuiltHouse.build(engine);
    expect(built.house.about).toEqual({ engine, manyNodes: false });
    expect(await built.house.now()).toBe(built.clock.now());
    await built.house.check();
  });
});
