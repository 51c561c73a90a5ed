import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BodyStore, StoredObject } from '../ports/body-store.ts';

/** A store of bodies that the contract is tried on, with nothing in it. */
export interface BodyStoreUnderTest {
  readonly store: BodyStore;
  /** Puts an object beside its place, which is none of its own; absent where there is nothing beside it. */
  readonly putBeside?: (name: string) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** What every store of bodies promises, as tests. */
export function bodyStoreContract(name: string, open: () => Promise<BodyStoreUnderTest>): void {
  describe(`${name} keeps the contract of body stores`, () => {
    let tried: BodyStoreUnderTest;
    const store = (): BodyStore => tried.store;
    const listed = async (): Promise<readonly (StoredObject & { readonly now: number })[]> => {
      const found: (StoredObject & { now: number })[] = [];
      for (let from: string | null = null; ;) {
        const { objects, next, now } = await store().list(from);
        found.push(...objects.map((object) => ({ ...object, now })));
        from = next;
        if (from === null) return found;
      }
    };

    beforeAll(async () => {
      tried = await open();
    });
    afterAll(async () => {
      await tried?.dispose();
    });

    it('gives any part of what was put, byte for byte, fewer at its end and none after it', async () => {
      const [object, whole] = [randomUUID(), randomBytes(300_000)];
      await store().put(object, [whole.subarray(0, 8), whole.subarray(8, 200_000), whole.subarray(200_000)]);
      const get = async (from: number, length: number): Promise<Buffer> =>
        Buffer.from((await store().get(object, from, length)) ?? 'absent');
      expect((await get(0, 512 * 1024)).equals(whole)).toBe(true);
      expect((await get(0, 8)).equals(whole.subarray(0, 8))).toBe(true);
      expect((await get(199_990, 20)).equals(whole.subarray(199_990, 200_010))).toBe(true);
      expect((await get(299_999, 1_000)).equals(whole.subarray(299_999))).toBe(true);
      expect(await get(300_000, 1_000)).toHaveLength(0);
    });

    it('knows what is absent, and deletes it without a complaint', async () => {
      const object = randomUUID();
      expect(await store().get(object, 0, 10)).toBe(null);
      await store().delete(object);
      await store().put(object, [Buffer.from('there')]);
      await store().delete(object);
      expect(await store().get(object, 0, 10)).toBe(null);
      expect((await listed()).map(({ name: there }) => there)).not.toContain(object);
    });

    it('puts another one in the place of a mark', async () => {
      const object = 'a-mark';
      await store().put(object, [Buffer.from('one')]);
      await store().put(object, [Buffer.from('another')]);
      expect(Buffer.from((await store().get(object, 0, 100)) ?? '').toString()).toBe('another');
      await store().delete(object);
    });

    it('takes one of many megabytes', async () => {
      const [object, piece] = [randomUUID(), randomBytes(256 * 1024)];
      await store().put(object, Array<Uint8Array>(40).fill(piece));
      const last = await store().get(object, 39 * piece.length, 1024 * 1024);
      expect(Buffer.from(last ?? '').equals(piece)).toBe(true);
      await store().delete(object);
    });

    it('lists all, by name, and when they were put by its own clock', async () => {
      const objects = Array.from({ length: 12 }, () => randomUUID());
      await Promise.all(objects.map((object) => store().put(object, [Buffer.from(object)])));
      await tried.putBeside?.(randomUUID());
      const found = await listed();
      const mine = found.filter((one) => (objects as readonly string[]).includes(one.name));
      expect(mine.map((one) => one.name)).toEqual(objects.toSorted());
      expect(new Set(mine.map(({ size }) => size))).toEqual(new Set([36]));
      for (const { at, now } of mine) expect(Math.abs(now - at)).toBeLessThan(60_000);
      expect(found.filter((object) => object.name.includes('/'))).toEqual([]);
    });
  });
}
