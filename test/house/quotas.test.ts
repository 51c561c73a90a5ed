import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/core/address.ts';
import type { Claim } from '../../src/core/command.ts';
import type { Quotas } from '../../src/core/quota.ts';
import type { LockAnswer } from '../../src/house/locks/locks.ts';
import type { WriteAnswer } from '../../src/house/states/states.ts';
import { explain, type Refusal } from '../../src/protocols/explain.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, NO_CLAIM } from './fixtures/built-house.ts';

const ALICE = callerOf('alice');
const ADMIN = callerOf('root', 'admin');
const built = (engine: (typeof ENGINES)[number], quotas: Quotas): Promise<BuiltHouse> =>
  BuiltHouse.build(engine, { quotas });

function at(key: string): Address {
  return { ...ADDRESS, key };
}

function write(
  { house }: BuiltHouse,
  address: Address,
  serial = 1,
  claim: Claim = NO_CLAIM,
): Promise<WriteAnswer> {
  const bytes = Buffer.from(sampleState(serial));
  const chunks = (async function* () {
    yield bytes;
  })();
  return house.states.write(ALICE, address, chunks, { claim, contentLength: bytes.length });
}

function lock({ house }: BuiltHouse, address: Address, lockId: string): Promise<LockAnswer> {
  return house.locks.lock(ALICE, address, {
    lockId,
    operation: 'OperationTypeApply',
    info: Buffer.from('{}'),
    tellsHoldersApart: true,
    alias: 'http',
    wait: null,
    gone: null,
  });
}

describe.each(ENGINES)('a quota on %s', (engine) => {
  it('refuses a new state and its lock in words, keeps the bytes, and notes it', async () => {
    await using house = await built(engine, { quotaStates: 1 });
    expect(await write(house, at('a'))).toMatchObject({ type: 'stored' });
    const refused = await write(house, at('b'));
    expect(refused).toMatchObject({ type: 'over-quota', kept: { address: at('b') } });
    expect(explain(refused as Refusal)).toContain('project acme is at its quota: it keeps 1 states and may');
    expect(await lock(house, at('b'), 'new')).toMatchObject({ type: 'over-quota', measure: 'states' });
    expect(await lock(house, at('a'), 'old')).toMatchObject({ type: 'granted' });
    expect(await write(house, at('a'), 2, { kind: 'named', lockId: 'old' })).toMatchObject({
      type: 'stored',
    });
    await house.house.audit.accepted();
    const log = await house.house.audit.read(ADMIN, { refused: true, limit: 10 });
    expect(log).toMatchObject({
      records: expect.arrayContaining([
        expect.objectContaining({
          note: expect.objectContaining({ refused: 'over-quota', detail: { quota: 'states' } }),
        }),
      ]),
    });
  });

  it('lets an apply bring its state home that had its lock before the quota was reached', async () => {
    await using house = await built(engine, { quotaStates: 4 });
    expect(await lock(house, at('mine'), 'mine')).toMatchObject({ type: 'granted' });
    for (const key of ['a', 'b', 'c', 'd']) await write(house, at(key));
    expect(await lock(house, at('mine'), 'mine')).toMatchObject({ type: 'granted', again: true });
    const home = await write(house, at('mine'), 1, { kind: 'named', lockId: 'mine' });
    expect(home).toMatchObject({ type: 'stored', above: 'states' });
  });

  it("is the project's own where one is set, and purging makes room", async () => {
    await using house = await built(engine, { quotaStates: 100 });
    await house.house.projects.set(ADMIN, 'acme', { quotaStates: 1 });
    await write(house, at('a'));
    expect(await write(house, at('b'))).toMatchObject({ type: 'over-quota', limit: 1 });
    await house.house.states.delete(ALICE, at('a'), NO_CLAIM);
    expect(await write(house, at('b'))).toMatchObject({ type: 'over-quota' });
    expect(await house.house.history.purge(ADMIN, at('a'))).toMatchObject({ type: 'purged' });
    expect(await write(house, at('b'))).toMatchObject({ type: 'stored' });
    await house.house.projects.set(ADMIN, 'acme', { quotaStates: null });
    expect(await write(house, at('c'))).toMatchObject({ type: 'stored' });
  });

  it('is not passed by a crowd, nor by a restore', async () => {
    await using house = await built(engine, { quotaStates: 5, quotaVersions: 8 });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => write(house, at(`k${index}`))),
    );
    expect(answers.filter(({ type }) => type === 'stored')).toHaveLength(5);
    const [first] = answers.flatMap((answer, index) => (answer.type === 'stored' ? [at(`k${index}`)] : []));
    if (first === undefined) throw new Error('nothing was stored');
    for (let serial = 2; serial <= 6; serial += 1) await write(house, first, serial);
    // Five and a quarter more than eight.
    expect(await house.engine.usage('acme')).toMatchObject({ states: 5, versions: 10 });
    const restored = await house.house.history.restore(ADMIN, first, 1, NO_CLAIM);
    expect(restored).toMatchObject({ type: 'over-quota', measure: 'versions', used: 10, limit: 8 });
  });
});
