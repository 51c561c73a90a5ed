import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/core/grant.ts';
import type { Caller } from '../../src/house/caller.ts';
import type { LockAsk } from '../../src/house/locks/locks.ts';
import { credentialContext } from '../../src/house/identity/known-credentials.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';
import { Keyring } from '../../src/keyring/keyring.ts';
import type { Command } from '../../src/ports/engine.ts';
import { eventually } from '../support/eventually.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, inChunks, NO_CLAIM } from './fixtures/built-house.ts';

const ADMIN = callerOf('root', 'admin');

function asks(lockId: string): LockAsk {
  return {
    lockId,
    operation: 'OperationTypeApply',
    info: Buffer.from(`{"ID":"${lockId}"}`),
    tellsHoldersApart: true,
    alias: 'test',
    wait: 60_000,
    gone: new AbortController().signal,
  };
}

/** Somebody whose credential the house knows, so that it can be revoked. */
async function known(
  built: BuiltHouse,
  name: string,
  expiresAt: number | null = null,
): Promise<{ caller: Caller; id: string }> {
  const wanted = { name, grants: [{ role: 'writer' as const, pattern: '*' }], expiresAt };
  const made = await built.house.credentials.create(ADMIN, wanted);
  if (made.type !== 'created') throw new Error(made.type);
  const { credential, secret } = made;
  const presented = { kind: 'basic', user: credential.id, password: secret } as const;
  const identity = (await built.house.identity.authenticate(presented)) as Identity;
  return { caller: { identity, door: 'test' }, id: credential.id };
}

/** A body of which only the beginning ever comes. */
async function* stalled(begun: () => void): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{"version":4,');
  begun();
  await new Promise(() => undefined);
}

describe.each(ENGINES)('a revoked credential, on %s', (engine) => {
  it('does not store what it had begun to write', async () => {
    await using built = await BuiltHouse.build(engine);
    const { caller, id } = await known(built, 'ci');
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* inChunks(Buffer.from(sampleState(1)));
      await built.house.credentials.revoke(ADMIN, id);
    }
    const terms = { claim: NO_CLAIM, contentLength: null };
    expect(await built.house.states.write(caller, ADDRESS, body(), terms)).toEqual({ type: 'revoked' });
    expect(await built.read(ADMIN)).toBe('absent');
  });

  it('has what it sends broken off, however silent it is', async () => {
    await using built = await BuiltHouse.build(engine);
    const { caller, id } = await known(built, 'ci');
    const begun = await built.house.uploads.begin(caller, ADDRESS);
    if (begun.type !== 'begun') throw new Error(begun.type);
    let stalls = 0;
    const stall = (): AsyncGenerator<Uint8Array> => stalled(() => (stalls += 1));
    const terms = { claim: NO_CLAIM, contentLength: null };
    const write = built.house.states.write(caller, ADDRESS, stall(), terms);
    const piece = built.house.uploads.put(caller, begun.upload, 1, stall());
    await eventually('both have begun', () => stalls === 2);
    await built.house.credentials.revoke(ADMIN, id);
    expect(await Promise.all([write, piece])).toEqual([{ type: 'revoked' }, { type: 'revoked' }]);
    expect(built.house.inFlightBytes).toBe(0);
    expect(await built.house.uploads.find(caller, ADDRESS, begun.upload.id)).toEqual({ type: 'revoked' });
  });

  it('waits for no lock any more, and one that it was handed goes to the next in line', async () => {
    await using built = await BuiltHouse.build(engine);
    const { locks, credentials } = built.house;
    const { caller, id } = await known(built, 'ci');
    const [ann, bob] = [callerOf('ann'), callerOf('bob')];
    expect((await locks.lock(ann, ADDRESS, asks('ann'))).type).toBe('granted');
    const waits = locks.lock(caller, ADDRESS, asks('ci'));
    await eventually('ci waits', () => built.house.parked === 1);
    const next = locks.lock(bob, ADDRESS, asks('bob'));
    await eventually('bob waits', () => built.house.parked === 2);
    await credentials.revoke(ADMIN, id);
    expect(await waits).toEqual({ type: 'revoked' });
    await locks.unlock(ann, ADDRESS, { lockId: 'ann', alias: null });
    expect((await next).type).toBe('granted');
  });

  it('does not take up a lock that it was handed in the moment of its revocation', async () => {
    await using built = await BuiltHouse.build(engine);
    const { locks, credentials } = built.house;
    const { caller, id } = await known(built, 'ci');
    const ann = callerOf('ann');
    await locks.lock(ann, ADDRESS, asks('ann'));
    const waits = locks.lock(caller, ADDRESS, asks('ci'));
    await eventually('ci waits', () => built.house.parked === 1);
    const revoked = credentials.revoke(ADMIN, id);
    await locks.unlock(ann, ADDRESS, { lockId: 'ann', alias: null });
    await revoked;
    const answer = await waits;
    if (answer.type === 'granted') return;
    expect(answer).toEqual({ type: 'revoked' });
    expect((await locks.lock(ann, ADDRESS, asks('anew'))).type).toBe('granted');
  });

  it('is shown with the locks that it holds, which can be broken with it', async () => {
    await using built = await BuiltHouse.build(engine);
    const { locks, credentials } = built.house;
    const { caller, id } = await known(built, 'ci');
    await locks.lock(caller, ADDRESS, asks('mine'));
    await locks.lock(callerOf('ann'), { ...ADDRESS, key: 'other' }, asks('hers'));
    const held = { address: ADDRESS, lockId: 'mine' };
    expect(await credentials.list(ADMIN)).toMatchObject({ credentials: [{ id, locks: [held] }] });
    expect(await credentials.revoke(ADMIN, id)).toMatchObject({ credential: { locks: [held] }, broken: [] });
    expect(await credentials.revoke(ADMIN, id, { breaks: true })).toMatchObject({
      credential: { locks: [] },
      broken: [held],
    });
    const audit = await built.house.audit.read(ADMIN, { address: ADDRESS, limit: 1 });
    expect(audit).toMatchObject({ records: [{ note: { action: 'force-unlock', subject: 'token:root' } }] });
    expect((await locks.show(ADMIN, { ...ADDRESS, key: 'other' })) as object).toMatchObject({
      lock: { holders: [{ lockId: 'hers' }] },
    });
  });
});

describe.each(ENGINES)('dead credentials, on %s', (engine) => {
  const DAY = 86_400_000;

  it('are forgotten after a while, by whichever node looks first; the audit log keeps them', async () => {
    await using built = await BuiltHouse.build(engine);
    const { credentials, audit } = built.house;
    await known(built, 'brief', built.clock.now() + 1_000);
    const gone = await known(built, 'gone');
    await credentials.revoke(ADMIN, gone.id);
    await known(built, 'stays');
    const names = async (): Promise<readonly string[]> =>
      (await built.engine.credentials()).map(({ name }) => name);
    await credentials.prune();
    expect(await names()).toEqual(['brief', 'gone', 'stays']);
    built.clock.advance(30 * DAY + 1_000);
    await credentials.prune();
    expect(await names()).toEqual(['brief', 'stays']);
    built.clock.advance(3_600_001);
    await Promise.all([credentials.prune(), credentials.prune()]);
    expect(await names()).toEqual(['stays']);
    expect(await credentials.revoke(ADMIN, gone.id)).toEqual({ type: 'absent' });
    const made = await audit.read(ADMIN, { action: 'credential-create', limit: 9 });
    expect(made.type === 'records' && made.records.length).toBe(3);
  });

  it('are looked for by the house itself', async () => {
    await using built = await BuiltHouse.build(engine, { deadCredentialsKept: 1_000 });
    await built.house.join();
    const gone = await known(built, 'gone');
    await built.house.credentials.revoke(ADMIN, gone.id);
    built.clock.advance(60_000);
    await eventually('it is forgotten', async () => (await built.engine.credentials()).length === 0);
  });

  it('do not count against the bound on how many there may be', async () => {
    const sealer = new Keyring([makeMasterKey(randomBytes(32))]);
    await using built = await BuiltHouse.build(engine, { sealer });
    const dead = Array.from({ length: 10_000 }, (_, number): Command => {
      const id = `SHDEAD${String(number).padStart(10, '0')}`;
      const ended = number % 2 === 0 ? { revokedAt: 2, expiresAt: null } : { revokedAt: null, expiresAt: 2 };
      const sealedSecret = sealer.seal(Buffer.from('secret'), credentialContext(id));
      const grants = [{ role: 'reader', pattern: '*' }] as const;
      const credential = { id, name: `job-${number}`, sealedSecret, grants, createdAt: 1, ...ended };
      return { type: 'put-credential', credential, note: null };
    });
    await built.engine.apply(dead);
    const wanted = { name: 'one-more', grants: [{ role: 'reader' as const, pattern: '*' }], expiresAt: null };
    expect(await built.house.credentials.create(ADMIN, wanted)).toMatchObject({ type: 'created' });
  });
});
