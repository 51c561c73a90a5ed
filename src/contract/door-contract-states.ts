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
  type DoorScene,
} from './door-contract-bench.ts';

/** What JSON parsers change when they read and print a state. */
const ODD = ',"odd":[1.0,1e400,-0,12345678901234567890123,"\\u003c\\u2028é😀\\/"], "odd" : { }';
/** Larger than any buffer between client and house. */
const LARGE = 3 * 1024 * 1024;

/** What every door promises of states. */
export const STATE_SCENES: readonly DoorScene[] = [
  {
    name: 'gives back the very bytes that were written: odd ones, large ones, with and without a last line end',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const at = bench.place();
      const states = new Lineage();
      const beyondDoubles = 2n ** 53n + 1n;
      const written = [
        states.next(),
        states.next(ODD),
        Buffer.concat([states.next(), Buffer.from('\n')]),
        Buffer.concat([states.next(), Buffer.from('\r\n \n')]),
        states.next(`,"large":"${'ä'.repeat(LARGE / 2)}"`),
        states.at(beyondDoubles),
        states.at(beyondDoubles + 1n),
      ];
      for (const bytes of written) {
        const lock = await take(alice, at);
        await store(alice, at, bytes, lock);
        await expectState(alice, at, bytes);
        await release(alice, at, lock);
        await expectState(bob, at, bytes);
      }
      expect(await bench.house.versions(at)).toBe(written.length);
    },
  },
  {
    name: 'says that a state is absent before it is written and after it is deleted',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const states = new Lineage();
      await expectState(alice, at, null);
      await store(alice, at, states.next());
      expect(await alice.delete(at, null)).toEqual({ type: 'deleted' });
      await expectState(alice, at, null);
      expect(await alice.delete(at, null)).toEqual({ type: 'deleted' });
      const again = states.next();
      await store(alice, at, again);
      await expectState(alice, at, again);
    },
  },
  {
    name: 'says neither absent nor free, stored nor granted, while the engine fails, but that it cannot know',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const states = new Lineage();
      const bytes = states.next();
      await store(alice, at, bytes);
      await expectLock(alice, at, null);
      const info = applyInfo();
      const fault = { type: 'refused', because: 'fault' };
      await bench.house.whileEngineFails(async () => {
        expect(await alice.read(at)).toMatchObject(fault);
        expect(await alice.look(at)).toMatchObject(fault);
        expect(await alice.lock(at, info)).toMatchObject(fault);
        expect(await alice.write(at, states.next(), null)).toMatchObject(fault);
        expect(await alice.delete(at, null)).toMatchObject(fault);
        expect(await alice.unlockAgain(at, info)).toMatchObject(fault);
      });
      await expectState(alice, at, bytes);
      await expectLock(alice, at, null);
      expect(await bench.house.versions(at)).toBe(1);
      await take(alice, at, info);
    },
  },
  {
    name: 'takes a write that comes again, even after the lock is gone, and keeps it once',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const bytes = new Lineage().next();
      const lock = await take(alice, at);
      await store(alice, at, bytes, lock);
      await store(alice, at, bytes, lock);
      await release(alice, at, lock);
      await store(alice, at, bytes, lock);
      expect(await bench.house.versions(at)).toBe(1);
    },
  },
  {
    name: 'refuses a write that would lose a change, with the lock or without',
    run: async (bench) => {
      const alice = await bench.person('alice');
      const at = bench.place();
      const states = new Lineage();
      const newest = states.at(7n);
      await store(alice, at, newest);
      const lock = await take(alice, at);
      const stale = [states.at(6n), states.at(7n, ',"other":1'), new Lineage().at(8n)];
      for (const bytes of stale) {
        expect(await alice.write(at, bytes, lock)).toMatchObject({ type: 'refused', because: 'conflict' });
      }
      await release(alice, at, lock);
      for (const bytes of stale) {
        expect(await alice.write(at, bytes, null)).toMatchObject({ type: 'refused', because: 'conflict' });
      }
      await expectState(alice, at, newest);
      expect(await bench.house.versions(at)).toBe(1);
    },
  },
  {
    name: 'lets nobody write or delete beside the holder of the lock',
    run: async (bench) => {
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const at = bench.place();
      const states = new Lineage();
      const before = states.next();
      await store(bob, at, before);
      const lock = await take(alice, at);
      const locked = { type: 'refused', because: 'locked' };
      expect(await bob.write(at, states.next(), null)).toMatchObject(locked);
      expect(await bob.write(at, states.next(), applyInfo())).toMatchObject(locked);
      expect(await bob.delete(at, null)).toMatchObject(locked);
      // The holder of another's lock ID is not its holder.
      expect(await bob.write(at, states.next(), lock)).toMatchObject(locked);
      if (bench.door.traits.unnamedWrites === null) {
        expect(await alice.write(at, states.next(), null)).toMatchObject(locked);
      }
      await expectState(bob, at, before);
      const after = states.next();
      await store(alice, at, after, lock);
      await expectState(bob, at, after);
    },
  },
  {
    name: 'keeps workspaces apart, their states and their locks',
    run: async (bench) => {
      if (!bench.door.traits.workspaces) return;
      const [alice, bob] = [await bench.person('alice'), await bench.person('bob')];
      const main = bench.place();
      const dev = { ...main, workspace: 'dev' };
      const states = new Lineage();
      const [first, second] = [states.next(), states.next()];
      await store(alice, main, first);
      await expectState(bob, dev, null);
      await store(bob, dev, second);
      await expectState(alice, main, first);
      const lock = await take(alice, main);
      await expectLock(bob, dev, null);
      const other = await take(bob, dev);
      await expectHeld(bench.door, bob, main, { holder: lock });
      await release(alice, main, lock);
      await expectLock(alice, dev, other);
      expect(await alice.write(dev, states.next(), null)).toMatchObject({ because: 'locked' });
      await store(alice, main, states.next());
      await release(bob, dev, other);
    },
  },
];
