import { describe, expect, it } from 'vitest';
import { parseLockInfo } from '../../src/core/lock-info.ts';
import type { LockAnswer, LockView, ShowAnswer } from '../../src/house/locks/locks.ts';
import { ask } from '../support/request.ts';
import { ADMIN_CALLER, TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, settled } from './fixtures/built-house.ts';

// Azure's leases, Consul's sessions and HCP's locks: taken before anything is known of their client, renewed, and over by
// themselves.

const ANN = callerOf('ann');
const BEN = callerOf('ben');
const LEASE = 60_000;
const DELAY = 15_000;

/** Ann's lock: with an end, and without an info. */
function take({ house }: BuiltHouse, more: { delay?: number } = {}): Promise<LockAnswer> {
  return house.locks.lock(ANN, ADDRESS, {
    lockId: 'lease',
    operation: '',
    info: null,
    tellsHoldersApart: false,
    alias: 'blob-lease',
    lease: LEASE,
    wait: null,
    gone: null,
    ...more,
  });
}

/** Ben waits for the lock, his request held open. */
function wait({ house }: BuiltHouse): Promise<LockAnswer> {
  return house.locks.lock(BEN, ADDRESS, {
    lockId: 'ben',
    operation: 'OperationTypeApply',
    info: Buffer.from(sampleLock('ben')),
    tellsHoldersApart: true,
    alias: 'http',
    wait: 10 * LEASE,
    gone: new AbortController().signal,
  });
}

async function shown(asked: Promise<ShowAnswer>): Promise<LockView> {
  const answer = await asked;
  if (answer.type !== 'shown') throw new Error(`the lock may not be seen: ${answer.type}`);
  return answer.lock;
}

async function holders({ house }: BuiltHouse): Promise<readonly string[]> {
  return (await shown(house.locks.show(ANN, ADDRESS))).holders.map(({ lockId }) => lockId);
}

describe.each(ENGINES)('a hold that ends by itself, on %s', (engine) => {
  it('is handed on within a second of its end to who waits, though nobody asks anything', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.house.join();
    await take(built);
    const waiting = wait(built);
    await settled();
    built.clock.advance(LEASE);
    expect(await holders(built)).toEqual([]);
    for (let half = 0; half < 3; half += 1) {
      built.clock.advance(500);
      await settled();
    }
    expect((await waiting).type).toBe('granted');
    expect(await holders(built)).toEqual(['ben']);
  });

  it('stays with nobody for the delay that its holder asked for', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.house.join();
    await take(built, { delay: DELAY });
    const waiting = wait(built);
    let granted = false;
    void waiting.finally(() => {
      granted = true;
    });
    await settled();
    for (let second = 0; second < (LEASE + DELAY) / 1_000 - 1; second += 1) built.clock.advance(1_000);
    await settled();
    expect(granted).toBe(false);
    for (let second = 0; second < 3; second += 1) {
      built.clock.advance(1_000);
      await settled();
    }
    expect((await waiting).type).toBe('granted');
  });

  it('goes on while its holder renews it, writes under it, and tells its lock info at last', async () => {
    await using built = await BuiltHouse.build(engine);
    await take(built);
    built.clock.advance(LEASE - 1);
    expect(await built.house.locks.renew(BEN, ADDRESS, 'lease', LEASE)).toMatchObject({ type: 'not-holder' });
    expect(await built.house.locks.renew(ANN, ADDRESS, 'lease', LEASE)).toMatchObject({ type: 'renewed' });
    built.clock.advance(LEASE - 1);
    const claim = { kind: 'named', lockId: 'lease' } as const;
    expect((await built.write(ANN, sampleState(1), claim)).type).toBe('stored');
    const info = Buffer.from(sampleLock('lease'));
    const told = { lockId: 'lease', operation: 'OperationTypeApply', info };
    expect(await built.house.locks.describe(ANN, ADDRESS, told)).toMatchObject({ type: 'described' });
    const view = await shown(built.house.locks.show(BEN, ADDRESS));
    expect(Buffer.from(view.holders[0]?.info ?? [])).toEqual(info);
    built.clock.advance(1);
    expect((await built.write(ANN, sampleState(2), claim)).type).toBe('fenced');
  });
});

describe('a holder of whom no lock info is known', () => {
  it('is told at the http door all the same, with what the server knows', async () => {
    await using house = await TestHouse.open();
    const address = { project: 'acme', key: 'net', workspace: 'default' };
    await house.house.locks.lock(ADMIN_CALLER, address, {
      lockId: 'lease',
      operation: '',
      info: null,
      tellsHoldersApart: false,
      alias: 'blob-lease',
      wait: null,
      gone: null,
    });
    const refused = await ask(house.url, 'LOCK', '/http/acme/net', { body: sampleLock('another') });
    expect(refused.status).toBe(423);
    const parsed = parseLockInfo(refused.bytes);
    expect(parsed).toMatchObject({ info: { id: 'lease', who: 'token:test-admin' } });
  });
});
