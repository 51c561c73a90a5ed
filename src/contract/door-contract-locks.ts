import { expect } from 'vitest';
import type { Address } from '../core/address.ts';
import type { LockInfo } from '../core/lock-info.ts';
import {
  applyInfo,
  expectHeld,
  expectLock,
  expectState,
  Lineage,
  release,
  store,
  take,
  until,
  waitFor,
  type DoorBench,
  type DoorScene,
} from './door-contract-bench.ts';
import type { DoorClient } from './door-contract-client.ts';

/** What every door promises of the lock. */
export const LOCK_SCENES: readonly DoorScene[] = [
  {
    name: 'gives the lock to one, shows it as it was asked for, and names the holder to the other',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const at = bench.place();
      await expectLock(bob, at, null);
      const lock = await take(alice, at, applyInfo('<alice&co>@laptop'));
      await expectLock(bob, at, lock);
      const asked = applyInfo('bob@desktop');
      await expectHeld(bench.door, bob, at, { asked, holder: lock });
      expect(await bob.unlock(at, asked)).toMatchObject({ type: 'refused' });
      await expectLock(bob, at, lock);
      await release(alice, at, lock);
      await expectLock(alice, at, null);
      await take(bob, at, asked);
      await expectLock(alice, at, asked);
    },
  },
  {
    name: 'grants the lock again to whoever asks for what it holds, and to nobody else under that ID',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const at = bench.place();
      const lock = await take(alice, at);
      await take(alice, at, lock);
      await expectHeld(bench.door, bob, at, { asked: lock, holder: lock });
      await release(alice, at, lock);
      await expectLock(bob, at, null);
    },
  },
  {
    name: 'answers a release that comes again as it did before, and leaves the lock of the next holder alone',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const at = bench.place();
      // The next holder may come with the same credential, as all runs of a pipeline do, or with another.
      for (const next of [alice, bob]) {
        const first = await take(alice, at);
        await release(alice, at, first);
        expect(await alice.unlockAgain(at, first)).toEqual({ type: 'released' });
        const second = await take(next, at);
        expect(await alice.unlockAgain(at, first)).toEqual({ type: 'released' });
        await expectLock(bob, at, second);
        await release(next, at, second);
      }
      await expectLock(bob, at, null);
    },
  },
  {
    name: 'grants the lock to no late copy of a request, be it held, released or broken by then',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const operator = await bench.person('operator', 'operator');
      const at = bench.place();
      const first = await take(alice, at);
      await release(alice, at, first);
      expect((await alice.lock(at, first)).type).not.toBe('granted');
      await expectLock(alice, at, null);
      const second = await take(bob, at);
      expect((await alice.lock(at, first)).type).not.toBe('granted');
      await expectLock(alice, at, second);
      expect(await operator.breakLock(at, second.id)).toEqual({ type: 'released' });
      expect((await bob.lock(at, second)).type).not.toBe('granted');
      await expectLock(alice, at, null);
      await release(alice, at, await take(alice, at));
    },
  },
  {
    name: 'refuses whoever asks first at once, holds open who comes back, and hands the lock on in that order',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const lock = await take(alice, at);
      const granted: string[] = [];
      const waiters = await lineUp(bench, at, lock, ['bob', 'carol', 'dave']);
      // They come back in another order than they first asked in.
      const waiting = waiters.toReversed().map(async ({ client, info }) => {
        await waitFor(client, at, info);
        granted.push(info.who);
      });
      await untilParked(bench, 3);
      await release(alice, at, lock);
      for (const [index, { client, info }] of waiters.entries()) {
        await until(`${info.who} has the lock`, () => granted.length > index);
        expect(granted).toEqual(waiters.slice(0, index + 1).map((waiter) => waiter.info.who));
        await expectLock(alice, at, info);
        await untilParked(bench, waiters.length - index - 1);
        await release(client, at, info);
      }
      await Promise.all(waiting);
      await expectLock(alice, at, null);
    },
  },
  {
    name: 'hands the lock past a client that has hung up',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const lock = await take(alice, at);
      const [bob, carol] = await lineUp(bench, at, lock, ['bob', 'carol']);
      if (bob === undefined || carol === undefined) throw new Error('nobody stands in line');
      const leaving = new AbortController();
      const given = bob.client.lock(at, bob.info, leaving.signal).catch(() => null);
      await untilParked(bench, 1);
      const waiting = waitFor(carol.client, at, carol.info);
      await untilParked(bench, 2);
      leaving.abort();
      await given;
      await untilParked(bench, 1);
      await release(alice, at, lock);
      await waiting;
      await expectLock(alice, at, carol.info);
      await release(carol.client, at, carol.info);
      await expectLock(alice, at, null);
    },
  },
  {
    name: 'lets only an operator break a lock, and only the one that is meant',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const operator = await bench.person('operator', 'operator');
      const at = bench.place();
      const lock = await take(alice, at);
      expect(await bob.breakLock(at, lock.id)).toMatchObject({ type: 'refused', because: 'credential' });
      expect(await operator.breakLock(at, applyInfo().id)).toMatchObject({ type: 'refused' });
      await expectLock(bob, at, lock);
      expect(await operator.breakLock(at, lock.id)).toEqual({ type: 'released' });
      await expectLock(bob, at, null);
      await release(bob, at, await take(bob, at));
    },
  },
  {
    name: 'refuses what the holder of a broken lock still writes and releases',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const operator = await bench.person('operator', 'operator');
      const at = bench.place();
      const states = new Lineage();
      await store(alice, at, states.at(1n));
      const lock = await take(alice, at);
      expect(await operator.breakLock(at, lock.id)).toEqual({ type: 'released' });
      const late = states.at(2n, ',"by":"alice"');
      if (bench.door.traits.unnamedWrites === null) {
        expect(await alice.write(at, late, lock)).toMatchObject({ type: 'refused', because: 'conflict' });
      }
      const next = await take(bob, at);
      expect(await alice.write(at, late, lock)).toMatchObject({ type: 'refused', because: 'locked' });
      await alice.unlock(at, lock);
      await alice.unlockAgain(at, lock);
      await expectLock(alice, at, next);
      const newest = states.at(2n, ',"by":"bob"');
      await store(bob, at, newest, next);
      await release(bob, at, next);
      expect(await alice.write(at, late, lock)).toMatchObject({ type: 'refused', because: 'conflict' });
      await expectState(alice, at, newest);
    },
  },
];

interface Waiter {
  readonly client: DoorClient;
  readonly info: LockInfo;
}

/** Everybody asks once, one after the other, and is refused. */
async function lineUp(
  bench: DoorBench,
  at: Address,
  holder: LockInfo,
  names: readonly string[],
): Promise<readonly Waiter[]> {
  const waiters: Waiter[] = [];
  for (const name of names) {
    const waiter = { client: await bench.person(name), info: applyInfo(name) };
    await expectHeld(bench.door, waiter.client, at, { asked: waiter.info, holder });
    waiters.push(waiter);
  }
  return waiters;
}

function untilParked({ house }: DoorBench, count: number): Promise<void> {
  return until(`${count} requests are held open`, () => house.parked() === count);
}
