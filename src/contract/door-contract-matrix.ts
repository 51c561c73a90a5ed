import { expect } from 'vitest';
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
} from './door-contract-bench.ts';
import type { DoorUnderTest } from './door-contract-client.ts';

/** One promise about two doors of one house. */
export interface PairScene {
  readonly name: string;
  run(bench: DoorBench, a: DoorUnderTest, b: DoorUnderTest): Promise<void>;
}

/** What is promised of every two doors, each way. */
export const PAIR_SCENES: readonly PairScene[] = [
  {
    name: 'a lock taken at the one is seen, refused and released at the other',
    run: async (bench, a, b) => {
      const [here, there] = [
        await bench.person('alice', 'writer', a),
        await bench.person('alice', 'writer', b),
      ];
      const bob = await bench.person('bob', 'writer', b);
      const at = bench.place();
      const lock = await take(here, at);
      await expectLock(there, at, lock);
      const asked = applyInfo('bob@desktop');
      await expectHeld(b, bob, at, { asked, holder: lock });
      expect(await bob.unlock(at, asked)).toMatchObject({ type: 'refused' });
      expect(await bob.breakLock(at, lock.id)).toMatchObject({ type: 'refused', because: 'credential' });
      await expectLock(here, at, lock);
      await release(there, at, lock);
      if (releasesInPart(a, b)) {
        await expectLock(there, at, lock);
        await release(here, at, lock);
      }
      await expectLock(here, at, null);
      // The release came by the other door, and so does its holder's knowledge of it.
      expect((await here.lock(at, lock)).type).not.toBe('granted');
      await take(bob, at, asked);
      await expectLock(here, at, asked);
    },
  },
  {
    name: 'a state written at the one is read byte for byte at the other, whichever wrote last',
    run: async (bench, a, b) => {
      const [here, there] = [
        await bench.person('alice', 'writer', a),
        await bench.person('bob', 'writer', b),
      ];
      const at = bench.place();
      const states = new Lineage();
      for (const [writer, reader] of [
        [here, there],
        [there, here],
        [here, there],
      ] as const) {
        const lock = await take(writer, at);
        const bytes = Buffer.concat([states.next(',"odd":[1.0,1e400]'), Buffer.from('\n')]);
        await store(writer, at, bytes, lock);
        await expectState(reader, at, bytes);
        await release(writer, at, lock);
      }
      expect(await here.delete(at, null)).toEqual({ type: 'deleted' });
      await expectState(there, at, null);
    },
  },
  {
    name: 'a write at the other that does not come from the holder is refused',
    run: async (bench, a, b) => {
      const [here, there] = [
        await bench.person('alice', 'writer', a),
        await bench.person('alice', 'writer', b),
      ];
      const bob = await bench.person('bob', 'writer', b);
      const at = bench.place();
      const states = new Lineage();
      await store(here, at, states.next());
      const lock = await take(here, at);
      const locked = { type: 'refused', because: 'locked' };
      expect(await bob.write(at, states.next(), null)).toMatchObject(locked);
      expect(await bob.delete(at, null)).toMatchObject(locked);
      const family = b.traits.unnamedWrites;
      if (family === null || family !== a.traits.unnamedWrites) {
        expect(await there.write(at, states.next(), null)).toMatchObject(locked);
      }
      const bytes = states.next();
      await store(here, at, bytes, lock);
      await expectState(bob, at, bytes);
    },
  },
  {
    name: 'a request that waits at the other is handed the lock when the one releases it',
    run: async (bench, a, b) => {
      const [here, there] = [
        await bench.person('alice', 'writer', a),
        await bench.person('bob', 'writer', b),
      ];
      const at = bench.place();
      const lock = await take(here, at);
      const asked = applyInfo('bob@desktop');
      await expectHeld(b, there, at, { asked, holder: lock });
      const waiting = waitFor(there, at, asked);
      await until('the request is held open', () => bench.house.parked() === 1);
      await release(here, at, lock);
      await waiting;
      await expectLock(here, at, asked);
      await release(there, at, asked);
      await expectLock(here, at, null);
    },
  },
  {
    name: 'a lock taken at the one and broken at the other is lost to its holder',
    run: async (bench, a, b) => {
      const [here, there] = [
        await bench.person('alice', 'writer', a),
        await bench.person('bob', 'writer', b),
      ];
      const operator = await bench.person('operator', 'operator', b);
      const at = bench.place();
      const states = new Lineage();
      const lock = await take(here, at);
      expect(await operator.breakLock(at, lock.id)).toEqual({ type: 'released' });
      const next = await take(there, at);
      const newest = states.at(1n, ',"by":"bob"');
      await store(there, at, newest, next);
      const late = states.at(1n, ',"by":"alice"');
      expect(await here.write(at, late, lock)).toMatchObject({ type: 'refused', because: 'locked' });
      await here.unlock(at, lock);
      await expectLock(here, at, next);
      await release(there, at, next);
      expect(await here.write(at, late, lock)).toMatchObject({ type: 'refused', because: 'conflict' });
      await expectState(here, at, newest);
    },
  },
];

/** Whether a client of `b` lets go only some of the means by which its subject took the lock at `a`. */
function releasesInPart(a: DoorUnderTest, b: DoorUnderTest): boolean {
  const common = a.traits.means.filter((means) => b.traits.means.includes(means));
  return common.length > 0 && common.length < a.traits.means.length;
}
