import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EngineFault } from '../../../src/ports/engine.ts';
import { makeMasterKey } from '../../../src/keyring/key-text.ts';
import { Keyring } from '../../../src/keyring/keyring.ts';
import { eventually } from '../../support/eventually.ts';
import { sampleState } from '../../support/sample-state.ts';
import { ADDRESS, callerOf, ENGINES } from '../fixtures/built-house.ts';
import { large, OutsideHouse } from './outside-house.ts';

const ALICE = callerOf('alice', 'admin');

describe.each(ENGINES)('large states beside %s', (engine) => {
  it('are objects, and small ones are rows; both are read byte for byte, old versions too', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const texts = [sampleState(1), large(2), large(3, 2.5)];
    for (const text of texts) expect(await built.write(ALICE, text)).toMatchObject({ type: 'stored' });
    expect(store.bodies).toHaveLength(2);
    expect(await built.engine.objects(null, 10)).toEqual(store.bodies);
    for (const [at, text] of texts.entries()) expect(await built.read(ALICE, at + 1)).toBe(text);
  });

  it('tell the store nothing: it has neither their text nor a key for it', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    await built.write(ALICE, large(1));
    const { bodyId = '' } = (await built.engine.version(ADDRESS, 1)) ?? {};
    const { wrappedKey = Buffer.alloc(0) } = (await built.engine.body(bodyId)) ?? {};
    const [bytes] = store.bodies.map((name) => Buffer.from(store.objects.get(name)?.bytes ?? []));
    expect(bytes?.length).toBeGreaterThan(64 * 1024);
    expect(bytes?.includes('lineage')).toBe(false);
    expect(bytes?.includes(Buffer.from(wrappedKey))).toBe(false);
    expect(store.bodies).not.toContain(bodyId);
  });

  it('are in the store before the database names them', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const seen: unknown[] = [];
    store.beforePut = async () =>
      void seen.push(await built.engine.version(ADDRESS, null), await built.engine.objects(null, 10));
    await built.write(ALICE, large(1));
    expect(seen.slice(-2)).toEqual([null, []]);
    expect(await built.engine.objects(null, 10)).toEqual(store.bodies);
  });

  it('are refused as busy while the store is down, with nothing stored, and small states go on', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    await built.write(ALICE, large(1));
    store.isDown = true;
    await expect(built.write(ALICE, large(2))).rejects.toMatchObject({ busy: true });
    await expect(built.read(ALICE)).rejects.toMatchObject({ busy: true });
    expect((await built.engine.version(ADDRESS, null))?.serial).toBe(1n);
    expect(await built.write(ALICE, sampleState(2))).toMatchObject({ type: 'stored' });
    expect(await built.read(ALICE)).toBe(sampleState(2));
    store.isDown = false;
    expect(await built.write(ALICE, large(3))).toMatchObject({ type: 'stored' });
  });

  it('leave nothing in the store that is not needed: of a refused write its kept bytes alone, of a repeat nothing', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const text = large(5);
    await built.write(ALICE, text);
    expect(await built.write(ALICE, text)).toMatchObject({ type: 'stored', repeat: true });
    await outside.settle();
    expect(await built.engine.objects(null, 10)).toEqual(store.bodies);
    expect(store.bodies).toHaveLength(1);
    const late = large(4);
    const refused = await built.write(ALICE, late);
    expect(refused).toMatchObject({ type: 'stale', kept: { address: ADDRESS } });
    await outside.settle();
    expect(store.bodies).toHaveLength(2);
    expect(await built.engine.objects(null, 10)).toEqual(store.bodies);
    const id = 'kept' in refused ? (refused.kept?.id ?? '') : '';
    const kept = await built.house.refusedWrites.read(ALICE, ADDRESS, id);
    expect(kept.type).toBe('found');
    if (kept.type === 'found') {
      const chunks: Uint8Array[] = [];
      for await (const chunk of kept.bytes.plain() as AsyncIterable<Uint8Array>) chunks.push(chunk);
      expect(Buffer.concat(chunks).toString()).toBe(late);
    }
  });

  it('may leave an object behind where the database fails, and never a version without one', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const apply = built.engine.apply.bind(built.engine);
    built.engine.apply = async (commands, telling) => {
      if (commands.some(({ type }) => type === 'write')) throw new EngineFault('the power went');
      return apply(commands, telling);
    };
    await expect(built.write(ALICE, large(1))).rejects.toThrow('the power went');
    await outside.settle();
    expect(store.bodies).toHaveLength(1);
    expect(await built.engine.objects(null, 10)).toEqual([]);
  });

  it('that are missing in the store are a fault that names the object, and never absent', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    await built.write(ALICE, large(1));
    const [object = ''] = store.bodies;
    store.objects.delete(object);
    await expect(built.read(ALICE)).rejects.toThrow(
      `the object ${object} is missing in memory://bodies, and a state with it`,
    );
  });

  it('that were changed in the store are a fault: swapped, cut, replaced, longer, or an older one of the same state', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const objectOf = async (number: number): Promise<string> => {
      const { bodyId = '' } = (await built.engine.version(ADDRESS, number)) ?? {};
      return (await built.engine.body(bodyId))?.object ?? '';
    };
    for (const serial of [1, 2]) await built.write(ALICE, large(serial, 1.2));
    const [older, newer] = [await objectOf(1), await objectOf(2)];
    const bytesOf = (name: string): Buffer => Buffer.from(store.objects.get(name)?.bytes ?? []);
    const [whole, other] = [bytesOf(newer), bytesOf(older)];
    const fewer = Buffer.from(whole);
    fewer.writeUInt32BE(whole.readUInt32BE(4) - 1, 4);
    const none = Buffer.concat([whole.subarray(0, 4), Buffer.alloc(4)]);
    const huge = Buffer.from(whole);
    huge.writeUInt32BE(0xffff_ffff, 8);
    const flipped = Buffer.from(whole);
    flipped[5_000] = (flipped[5_000] ?? 0) ^ 1;
    const spoilt = [
      other,
      Buffer.alloc(0),
      whole.subarray(0, 6),
      whole.subarray(0, 9),
      whole.subarray(0, 100_000),
      whole.subarray(0, -1),
      fewer,
      none,
      huge,
      flipped,
      Buffer.from('<html>not found</html>'),
      randomBytes(100_000),
    ];
    for (const bytes of spoilt) {
      store.objects.set(newer, { bytes, at: 0 });
      await expect(built.read(ALICE)).rejects.toThrow();
      const answer = await built.house.states.read(ALICE, ADDRESS).catch(() => null);
      if (answer !== null) expect(answer.type).toBe('found');
    }
    store.objects.set(newer, { bytes: whole, at: 0 });
    expect((await built.read(ALICE)).length).toBeGreaterThan(1_000_000);
  });

  it('are put into objects of new names when they are encrypted anew, and an old object is no way back', async () => {
    const first = makeMasterKey(randomBytes(32));
    const keyring = new Keyring([first]);
    await using outside = await OutsideHouse.build(engine, { sealer: keyring });
    const { built, store } = outside;
    const [text, small] = [large(1, 0.9), sampleState(2)];
    await built.write(ALICE, text);
    await built.write(ALICE, small);
    const [before = ''] = store.bodies;
    const old = store.objects.get(before)?.bytes ?? Buffer.alloc(0);
    const next = makeMasterKey(randomBytes(32));
    keyring.adopt([next, first]);
    await built.house.beginReencryption();
    await built.house.reseal();
    expect(await built.house.reencrypt(ALICE, null, 60_000)).toMatchObject({ done: 2, damaged: 0 });
    keyring.adopt([next]);
    expect(await built.read(ALICE, 1)).toBe(text);
    expect(await built.read(ALICE, 2)).toBe(small);
    const [now = ''] = await built.engine.objects(null, 10);
    expect(now).not.toBe(before);
    expect((await built.engine.goneObjects(null, 10)).map(({ name }) => name)).toEqual([before]);
    store.objects.set(now, { bytes: old, at: 0 });
    await expect(built.read(ALICE, 1)).rejects.toThrow();
  });

  it('hold no more memory on their way than there is for it, however slow the store is', async () => {
    await using outside = await OutsideHouse.build(engine, { refusedKept: 0, inFlightBytesMax: 64_000_000 });
    const { built, store } = outside;
    let goOn: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (goOn = resolve));
    await built.write(ALICE, large(1));
    store.beforePut = () => slow;
    let ended = 0;
    const writes = Array.from({ length: 12 }, (_, at) =>
      built
        .write(ALICE, large(at + 2))
        .then(
          ({ type }) => type,
          (fault: unknown) => fault,
        )
        .finally(() => (ended += 1)),
    );
    // One credential has a quarter of what all may have, which is a megabyte here.
    await eventually('those beyond its share are refused', () => ended >= 8);
    goOn();
    const ends = await Promise.all(writes);
    expect(ends.filter((end) => end instanceof EngineFault && end.busy).length).toBeGreaterThanOrEqual(8);
    expect(ends).toContain('stored');
  });
});
