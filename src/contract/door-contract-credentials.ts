import { expect } from 'vitest';
import type { Address } from '../core/address.ts';
import {
  applyInfo,
  expectLock,
  expectState,
  Lineage,
  release,
  store,
  take,
  until,
  type DoorScene,
} from './door-contract-bench.ts';
import type { DoorClient } from './door-contract-client.ts';

const REFUSED = { type: 'refused', because: 'credential' };
/** Long enough to take a lock, even on a busy machine. */
const BRIEF_MS = 2_000;

/** What every door promises of credentials. */
export const CREDENTIAL_SCENES: readonly DoorScene[] = [
  {
    name: 'opens for nobody whose credential is unknown or whose secret is another',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const bytes = new Lineage().next();
      await store(alice, at, bytes);
      const { id, secret } = bench.house.admin;
      await expectShutOut(bench.as({ id, secret: `${secret}x` }), at);
      await expectShutOut(bench.as({ id: 'SHUNKNOWNUNKNOWN', secret }), at);
      await expectState(alice, at, bytes);
      await expectLock(alice, at, null);
    },
  },
  {
    name: 'refuses a credential of another project, and lets a reader only read',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const [at, elsewhere] = [bench.place(), bench.place()];
      const states = new Lineage();
      const bytes = states.next();
      await store(alice, at, bytes);
      await expectShutOut(
        bench.as(await bench.house.credential('writer', `${elsewhere.project}/*`, null)),
        at,
      );
      const reader = bench.as(await bench.house.credential('reader', `${at.project}/*`, null));
      await expectState(reader, at, bytes);
      await expectLock(reader, at, null);
      expect(await reader.lock(at, applyInfo())).toMatchObject(REFUSED);
      expect(await reader.write(at, states.next(), null)).toMatchObject(REFUSED);
      expect(await reader.delete(at, null)).toMatchObject(REFUSED);
      await expectState(alice, at, bytes);
      await expectLock(alice, at, null);
    },
  },
  {
    name: 'refuses a revoked credential from the next request on, whatever it holds',
    run: async (bench) => {
      const operator = await bench.person('operator', 'operator');
      const pair = await bench.house.credential('writer', '*', null);
      const revoked = bench.as(pair);
      const at = bench.place();
      const states = new Lineage();
      const bytes = states.next();
      const lock = await take(revoked, at);
      await store(revoked, at, bytes, lock);
      await bench.house.revoke(pair);
      await expectShutOut(revoked, at);
      expect(await revoked.write(at, states.next(), lock)).toMatchObject(REFUSED);
      expect(await revoked.unlock(at, lock)).toMatchObject(REFUSED);
      await expectState(operator, at, bytes);
      await expectLock(operator, at, lock);
      expect(await operator.breakLock(at, lock.id)).toEqual({ type: 'released' });
    },
  },
  {
    name: 'lets an expired credential bring home what it holds the lock for, and nothing else',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const [at, elsewhere] = [bench.place(), bench.place()];
      const states = new Lineage();
      const brief = bench.as(await bench.house.credential('writer', '*', Date.now() + BRIEF_MS));
      const lock = await take(brief, at);
      await until('the credential expires', async () => (await brief.read(elsewhere)).type === 'refused');
      await expectShutOut(brief, elsewhere);
      await expectLock(brief, at, lock);
      await expectState(alice, elsewhere, null);
      await expectLock(alice, elsewhere, null);
      const bytes = states.next();
      await store(brief, at, bytes, lock);
      await expectState(brief, at, bytes);
      await release(brief, at, lock);
      await expectShutOut(brief, at);
      await expectState(alice, at, bytes);
      await expectLock(alice, at, null);
    },
  },
];

/** Sees to it that a client can do nothing at an address. */
async function expectShutOut(client: DoorClient, at: Address): Promise<void> {
  expect(await client.read(at)).toMatchObject(REFUSED);
  expect(await client.look(at)).toMatchObject(REFUSED);
  expect(await client.lock(at, applyInfo())).toMatchObject(REFUSED);
  expect(await client.write(at, new Lineage().at(99n), null)).toMatchObject(REFUSED);
  expect(await client.delete(at, null)).toMatchObject(REFUSED);
}
