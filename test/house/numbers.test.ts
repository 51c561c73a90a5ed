import { describe, expect, it } from 'vitest';
import type { Grant } from '../../src/core/grant.ts';
import { countOf, NO_SPREAD, quantileOf, sumOfSpreads, withDuration } from '../../src/core/spread.ts';
import type { Caller } from '../../src/house/caller.ts';
import type { NumbersTold } from '../../src/house/numbers/numbers.ts';
import { BuiltHouse, callerOf } from './fixtures/built-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';

const HOUR = 3_600_000;
const ADMIN = callerOf('root', 'admin');

const reader = (...patterns: readonly string[]): Caller => ({
  identity: {
    subject: 'token:somebody',
    grants: patterns.map((pattern): Grant => ({ role: 'reader', pattern })),
  },
  door: 'test',
});
const at = (key: string, project = 'acme') => ({ project, key, workspace: 'default' });

async function tell(
  { house }: BuiltHouse,
  caller: Caller,
  project: string | null = null,
): Promise<NumbersTold> {
  const answer = await house.numbers.tell(caller, project, 0);
  if (answer.type !== 'numbers') throw new Error(answer.type);
  return answer;
}

/** Takes the lock, holds it for so long, and gives it back. */
async function hold(
  { house, clock }: BuiltHouse,
  key: string,
  { lockId, operation = 'OperationTypeApply', lasts }: { lockId: string; operation?: string; lasts: number },
): Promise<void> {
  const ask = {
    lockId,
    operation,
    info: Buffer.from(sampleLock(lockId)),
    tellsHoldersApart: true,
    alias: 'http',
  };
  const granted = await house.locks.lock(ADMIN, at(key), { ...ask, wait: null, gone: null });
  if (granted.type !== 'granted') throw new Error(granted.type);
  clock.advance(lasts);
  await house.locks.unlock(ADMIN, at(key), { lockId, alias: null });
}

describe('durations in classes', () => {
  it('tell about how long a share of them lasted', () => {
    const spread = Array.from({ length: 100 }, (_, n) => (n + 1) * 100).reduce(withDuration, NO_SPREAD);
    expect(countOf(spread)).toBe(100);
    expect(quantileOf(spread, 0.5)).toBeGreaterThan(4_500);
    expect(quantileOf(spread, 0.5)).toBeLessThan(5_500);
    expect(quantileOf(spread, 0.99)).toBeGreaterThan(9_000);
    expect(quantileOf(NO_SPREAD, 0.5)).toBe(null);
    expect(quantileOf(withDuration(NO_SPREAD, 0), 0.99)).toBe(0);
    expect(quantileOf(withDuration(NO_SPREAD, 10 * HOUR), 0.5)).toBe(HOUR);
    expect(countOf(sumOfSpreads(spread, withDuration(NO_SPREAD, 10 * HOUR)))).toBe(101);
  });
});

describe('the numbers', () => {
  it('count applies, plans, writes, holds and refusals by hour and state', async () => {
    await using built = await BuiltHouse.build('memory');
    await hold(built, 'net', { lockId: 'a', lasts: 8_000 });
    await hold(built, 'net', { lockId: 'b', operation: 'OperationTypePlan', lasts: 1_000 });
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(sampleState(1));
    }
    await built.house.states.write(ADMIN, at('net'), body(), {
      claim: { kind: 'none' },
      contentLength: null,
    });
    await built.house.states.read(reader('acme/net'), at('dns'));
    built.clock.advance(2 * HOUR);
    await hold(built, 'dns', { lockId: 'c', lasts: 8_000 });
    const told = await tell(built, ADMIN);
    expect(
      told.hours.map(({ applies, plans, writes, refused }) => [applies, plans, writes, refused]),
    ).toEqual([
      [1, 1, 1, 1],
      [1, 0, 0, 0],
    ]);
    expect(told.busiest.map(({ name }) => name)).toEqual(['acme/net', 'acme/dns']);
    expect(told.total).toMatchObject({ applies: 2, refused: { forbidden: 1 } });
    expect([countOf(told.total.holds), countOf(told.total.waits)]).toEqual([3, 3]);
    expect(told.storage).toMatchObject([{ project: 'acme', states: 1, versions: 1 }]);
    expect(await tell(built, ADMIN, 'beta')).toMatchObject({ hours: [], busiest: [], storage: [] });
  });

  it('tell a caller of what it may read alone, and an admin of an address nothing of the house', async () => {
    await using built = await BuiltHouse.build('memory');
    await hold(built, 'net', { lockId: 'a', lasts: 1_000 });
    await hold(built, 'secret/plan', { lockId: 'b', lasts: 1_000 });
    await built.house.credentials.list(reader('acme/*'));
    const told = await tell(built, reader('acme/net'));
    expect(told.total).toMatchObject({ applies: 1, refused: {} });
    expect(JSON.stringify(told)).not.toContain('secret');
    const owner: Caller = {
      ...reader(),
      identity: { subject: 'token:o', grants: [{ role: 'admin', pattern: 'acme/*' }] },
    };
    expect((await tell(built, owner)).total).toMatchObject({ applies: 2, refused: {} });
    expect((await tell(built, ADMIN)).total.refused).toEqual({ forbidden: 1 });
    const outputs: Caller = {
      ...reader(),
      identity: { subject: 'token:x', grants: [{ role: 'outputs', pattern: '*' }] },
    };
    expect(await built.house.numbers.tell(outputs, null, 0)).toMatchObject({ type: 'forbidden' });
    expect((await tell(built, reader('beta/*'))).storage).toEqual([]);
  });

  it('count how long somebody waited, and keep five weeks', async () => {
    await using built = await BuiltHouse.build('memory');
    const { house, clock } = built;
    const ask = (lockId: string) => ({
      lockId,
      operation: 'OperationTypeApply',
      info: Buffer.from(sampleLock(lockId)),
      tellsHoldersApart: true,
      alias: 'http',
      wait: null,
      gone: null,
    });
    await house.locks.lock(ADMIN, at('net'), ask('a'));
    expect((await house.locks.lock(ADMIN, at('net'), ask('b'))).type).toBe('held');
    clock.advance(20_000);
    await house.locks.unlock(ADMIN, at('net'), { lockId: 'a', alias: null });
    await house.locks.lock(ADMIN, at('net'), ask('b'));
    const { total } = await tell(built, ADMIN);
    expect(quantileOf(total.waits, 0.99)).toBeGreaterThan(10_000);
    clock.advance(36 * 24 * HOUR);
    await hold(built, 'dns', { lockId: 'c', lasts: 1_000 });
    await house.numbers.prune();
    expect((await tell(built, ADMIN)).hours).toHaveLength(1);
  });
});
