import { describe, expect, it } from 'vitest';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import type { Caller } from '../../src/house/caller.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, NO_CLAIM, settled } from './fixtures/built-house.ts';

const ANN = callerOf('ann');
const ADMIN = callerOf('root', 'admin');
const DAY_MS = 86_400_000;

async function numbers(built: BuiltHouse): Promise<readonly number[]> {
  const answer = await built.house.history.versions(ANN, ADDRESS, { limit: 100 });
  if (answer.type !== 'versions') throw new Error(`the versions may not be seen: ${answer.type}`);
  return answer.versions.map(({ number }) => number);
}

async function lock(
  built: BuiltHouse,
  who = ANN,
  lockId = 'lock-1',
  operation = 'OperationTypeApply',
): Promise<string> {
  const answer = await built.house.locks.lock(who, ADDRESS, {
    lockId,
    operation,
    info: Buffer.from(sampleLock(lockId, operation)),
    tellsHoldersApart: true,
    alias: 'http',
    wait: null,
    gone: null,
  });
  return answer.type;
}

describe.each(ENGINES)('the history of a state, on %s', (engine) => {
  it('rolls forward: the old bytes come back with the newest serial + 1, and nothing else is changed', async () => {
    await using built = await BuiltHouse.build(engine);
    const odd =
      '{"serial" :\t9007199254740993 , "version":4,"zeta":1e400,"lineage":"l","big":123456789012345678901234567890,"serial_":1,"text":"\\u003cü\\n"}';
    expect(await built.write(ANN, odd)).toMatchObject({ type: 'stored' });
    const newer = sampleState(9_007_199_254_740_999n, { lineage: 'l' });
    expect(await built.write(ANN, newer)).toMatchObject({ type: 'stored' });
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({
      type: 'stored',
      version: { number: 3, serial: 9_007_199_254_741_000n, restoredFrom: 1, forced: false },
    });
    expect(await built.read(ANN)).toBe(odd.replace('9007199254740993', '9007199254741000'));
    expect([await built.read(ANN, 1), await built.read(ANN, 2)]).toEqual([odd, newer]);
  });

  it('brings an encrypted state back byte for byte, serial and all', async () => {
    await using built = await BuiltHouse.build(engine);
    const sealed = (serial: number): string =>
      `{"serial":${serial},"lineage":"l","meta":{"key_provider.pbkdf2.main":"e30="},"encrypted_data":"c2VjcmV0${serial}","encryption_version":"v0"}`;
    await built.write(ANN, sealed(1));
    await built.write(ANN, sealed(2));
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({
      type: 'stored',
      version: { number: 3, serial: 1n, encrypted: true, restoredFrom: 1 },
    });
    expect(await built.read(ANN)).toBe(sealed(1));
    // What the client read it will go on from, though it has a serial that was there before.
    expect(await built.write(ANN, `${sealed(2)}\n`)).toMatchObject({
      type: 'stored',
      version: { number: 4 },
    });
  });

  it('restores a large state, which is read and taken in piece by piece', async () => {
    await using built = await BuiltHouse.build(engine);
    const large = sampleState(1, { size: 900_000 });
    await built.write(ANN, large);
    await built.write(ANN, sampleState(2));
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({ type: 'stored' });
    expect(await built.read(ANN)).toBe(large.replace('"serial": 1', '"serial": 3'));
  });

  it('refuses a restore when something was written after it was begun', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(1));
    await built.write(ANN, sampleState(2));
    // Not what the restore would write: that would be the same state.
    const bobs = sampleState(3, { said: 'bob' });
    const body = built.engine.body.bind(built.engine);
    built.engine.body = async (id) => {
      built.engine.body = body;
      await built.write(callerOf('bob'), bobs);
      return body(id);
    };
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({
      type: 'stale',
      reason: 'changed-meanwhile',
    });
    expect(await built.read(ANN)).toBe(bobs);
  });

  it('refuses a restore beside somebody who holds the lock, and takes it from the holder', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(1));
    await built.write(ANN, sampleState(2));
    await lock(built);
    expect(await built.house.history.restore(callerOf('bob'), ADDRESS, 1, NO_CLAIM)).toMatchObject({
      type: 'held',
      holders: [{ lockId: 'lock-1', subject: 'token:ann' }],
    });
    const claim = { kind: 'named', lockId: 'lock-1' } as const;
    expect(await built.house.history.restore(ANN, ADDRESS, 1, claim)).toMatchObject({
      type: 'stored',
      version: { lockId: 'lock-1' },
    });
  });

  it('knows no version that never was, and tells a reader that it may not restore', async () => {
    await using built = await BuiltHouse.build(engine);
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toEqual({ type: 'absent' });
    await built.write(ANN, sampleState(1));
    expect(await built.house.history.restore(ANN, ADDRESS, 7, NO_CLAIM)).toEqual({ type: 'absent' });
    expect(await built.house.history.restore(callerOf('eve', 'reader'), ADDRESS, 1, NO_CLAIM)).toMatchObject({
      type: 'forbidden',
    });
  });

  it('hides a deleted state and keeps its history, until it is shown again', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(1));
    await built.write(ANN, sampleState(2));
    expect(await built.house.states.delete(ANN, ADDRESS, NO_CLAIM)).toMatchObject({ type: 'deleted' });
    expect(await built.read(ANN)).toBe('absent');
    expect(await built.read(ANN, 1)).toBe(sampleState(1));
    expect(await built.house.states.list(ANN, { limit: 9 })).toMatchObject({ states: [] });
    expect(await built.house.states.list(ANN, { limit: 9, deleted: true })).toMatchObject({
      states: [{ address: ADDRESS }],
    });
    expect(await built.house.history.undelete(ANN, ADDRESS)).toMatchObject({ type: 'undeleted' });
    expect(await built.read(ANN)).toBe(sampleState(2));
    expect(await built.house.history.undelete(ANN, ADDRESS)).toMatchObject({ type: 'exists' });
    expect(await numbers(built)).toEqual([2, 1]);
  });

  it('restores a version of a deleted state, and numbers a new state after the deleted one', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(5));
    await built.house.states.delete(ANN, ADDRESS, NO_CLAIM);
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({
      type: 'stored',
      version: { number: 2, serial: 6n },
    });
    await built.house.states.delete(ANN, ADDRESS, NO_CLAIM);
    // Another state altogether, as `terraform init` in an empty folder makes one.
    expect(await built.write(ANN, sampleState(1, { lineage: 'new' }))).toMatchObject({
      type: 'stored',
      version: { number: 3 },
    });
  });

  it('is purged only of a deleted state, by an admin, and never under a lock', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(1));
    const { history } = built.house;
    expect(await history.purge(ADMIN, ADDRESS)).toMatchObject({ type: 'exists' });
    await built.house.states.delete(ANN, ADDRESS, NO_CLAIM);
    expect(await history.purge(ANN, ADDRESS)).toMatchObject({ type: 'forbidden' });
    await lock(built);
    expect(await history.purge(ADMIN, ADDRESS)).toMatchObject({ type: 'held' });
    await built.house.locks.unlock(ANN, ADDRESS, { lockId: 'lock-1', alias: null });
    expect(await history.purge(ADMIN, ADDRESS)).toMatchObject({ type: 'purged' });
    expect(await numbers(built)).toEqual([]);
    expect(await built.read(ANN, 1)).toBe('absent');
    expect(await history.undelete(ANN, ADDRESS)).toEqual({ type: 'absent' });
    expect(await built.write(ANN, sampleState(1))).toMatchObject({ version: { number: 2 } });
  });

  it('lets an admin drop one version, the newest last and the state with it', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(1));
    await built.write(ANN, sampleState(2));
    const drop = (caller: Caller, number: number): Promise<{ readonly type: string }> =>
      built.house.history.dropVersion(caller, ADDRESS, number, NO_CLAIM);
    expect(await drop(ANN, 1)).toMatchObject({ type: 'forbidden' });
    expect(await drop(ADMIN, 2)).toEqual({ type: 'newest', older: 1 });
    expect(await drop(ADMIN, 1)).toMatchObject({ type: 'pruned', versions: [1] });
    expect(await drop(ADMIN, 1)).toEqual({ type: 'absent' });
    await lock(built);
    expect(await drop(ADMIN, 2)).toMatchObject({ type: 'held' });
    await built.house.locks.unlock(ANN, ADDRESS, { lockId: 'lock-1', alias: null });
    expect(await drop(ADMIN, 2)).toMatchObject({ type: 'purged' });
    expect(await numbers(built)).toEqual([]);
  });

  it('keeps as many versions as it is told to, and says in the audit log what it let go', async () => {
    await using built = await BuiltHouse.build(engine, { retention: { keepVersions: 3, minKeepDays: 0 } });
    for (let serial = 1; serial <= 6; serial += 1) await built.write(ANN, sampleState(serial));
    await settled();
    expect(await numbers(built)).toEqual([6, 5, 4]);
    expect(await built.read(ANN, 2)).toBe('absent');
    expect(await built.read(ANN)).toBe(sampleState(6));
    const pruned = await built.house.audit.read(ADMIN, { action: 'prune', limit: 9 });
    expect(pruned).toMatchObject({
      type: 'records',
      records: [{ note: { subject: 'house:retention' } }, {}, {}],
    });
    expect(built.errors).toEqual([]);
  });

  it('loses nothing to quick writes, and lets go later what they superseded', async () => {
    await using built = await BuiltHouse.build(engine, { retention: { keepVersions: 3 } });
    for (let serial = 1; serial <= 6; serial += 1) await built.write(ANN, sampleState(serial));
    await settled();
    expect(await numbers(built)).toEqual([6, 5, 4, 3, 2, 1]);
    built.clock.advance(4 * DAY_MS);
    for (let serial = 7; serial <= 9; serial += 1) await built.write(ANN, sampleState(serial));
    built.clock.advance(4 * DAY_MS);
    await built.write(ANN, sampleState(10));
    await settled();
    // Version 6 was superseded four days ago, those before it eight days ago.
    expect(await numbers(built)).toEqual([10, 9, 8, 7, 6]);
    await built.house.projects.set(ADMIN, 'acme', { minKeepDays: 0 });
    await built.write(ANN, sampleState(11));
    await settled();
    expect(await numbers(built)).toEqual([11, 10, 9]);
  });

  it('keeps no more after a restore than after a write', async () => {
    await using built = await BuiltHouse.build(engine, { retention: { keepVersions: 2, minKeepDays: 0 } });
    for (let serial = 1; serial <= 2; serial += 1) await built.write(ANN, sampleState(serial));
    expect(await built.house.history.restore(ANN, ADDRESS, 1, NO_CLAIM)).toMatchObject({ type: 'stored' });
    await settled();
    expect(await numbers(built)).toEqual([3, 2]);
  });

  it('keeps what was superseded not long ago, and a project may say how long', async () => {
    await using built = await BuiltHouse.build(engine, { retention: { keepDays: 30 } });
    await built.write(ANN, sampleState(1));
    built.clock.advance(300 * DAY_MS);
    await built.write(ANN, sampleState(2));
    await settled();
    // The last good state of a quiet year is not lost to one write.
    expect(await numbers(built)).toEqual([2, 1]);
    built.clock.advance(31 * DAY_MS);
    await built.write(ANN, sampleState(3));
    await settled();
    expect(await numbers(built)).toEqual([3, 2]);
    await built.house.projects.set(ADMIN, 'acme', { keepDays: 365 });
    built.clock.advance(100 * DAY_MS);
    await built.write(ANN, sampleState(4));
    await settled();
    expect(await numbers(built)).toEqual([4, 3, 2]);
  });

  it('is kept whole where nobody said otherwise', async () => {
    await using built = await BuiltHouse.build(engine);
    for (let serial = 1; serial <= 30; serial += 1) {
      built.clock.advance(100 * DAY_MS);
      await built.write(ANN, sampleState(serial));
    }
    await settled();
    expect(await numbers(built)).toHaveLength(30);
  });
});

describe.each(ENGINES)('the audit log, on %s', (engine) => {
  it('tells of every read, write, lock, release and break-in, and of nothing that a state says', async () => {
    await using built = await BuiltHouse.build(engine);
    const secret = 'hunter2-the-password';
    await lock(built);
    await built.write(ANN, sampleState(1, { said: secret }), { kind: 'named', lockId: 'lock-1' });
    await built.read(ANN);
    // A lock that nobody names is not broken in its first two minutes.
    built.clock.advance(121_000);
    await built.house.locks.unlock(callerOf('op', 'operator'), ADDRESS, { lockId: null, alias: null });
    await built.house.states.delete(ANN, ADDRESS, NO_CLAIM);
    const answer = await built.house.audit.read(ADMIN, { address: ADDRESS, limit: 50 });
    if (answer.type !== 'records') throw new Error('the admin may not read the audit log');
    const log = answer.records;
    const told = log.map(({ note: { action, subject } }) => `${subject} ${action}`);
    expect(new Set(told)).toEqual(
      new Set([
        'token:ann lock',
        'token:ann write',
        'token:ann read',
        'token:op force-unlock',
        'token:ann delete',
      ]),
    );
    const ids = log.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    const text = JSON.stringify(log);
    expect(text).not.toContain(secret);
    expect(text).not.toContain('alice@laptop');
  });

  it('is for admins, each for what they administer', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(ANN, sampleState(1));
    expect(await built.house.audit.read(ANN, { limit: 9 })).toMatchObject({ type: 'forbidden' });
    const local = {
      identity: {
        subject: 'token:local',
        grants: [{ role: 'admin' as const, pattern: 'acme/*' }],
      },
      door: 'test',
    };
    expect(await built.house.audit.read(local, { limit: 9 })).toMatchObject({ type: 'forbidden' });
    const own = await built.house.audit.read(local, { address: ADDRESS, limit: 9 });
    expect(own.type === 'records' && own.records.length).toBe(1);
  });
});
