import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../../src/engines/memory/engine.ts';
import { sealedKeyId } from '../../../src/keyring/keyring.ts';
import { sampleState } from '../../support/sample-state.ts';
import { ADDRESS, callerOf, ENGINES, NO_CLAIM } from '../fixtures/built-house.ts';
import { keptFor, large, OutsideHouse } from './outside-house.ts';

const ALICE = callerOf('alice', 'admin');
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Looks after the store once, as the node that has done so for a while. */
async function keep({ kept: { keeper }, built }: OutsideHouse): Promise<void> {
  await keeper.turn();
  built.clock.advance(31 * MINUTE);
  while (await keeper.turn());
}

async function purge({ built }: OutsideHouse): Promise<void> {
  const { states, history } = built.house;
  expect(await states.delete(ALICE, ADDRESS, NO_CLAIM)).toMatchObject({ type: 'deleted' });
  expect(await history.purge(ALICE, ADDRESS)).toMatchObject({ type: 'purged' });
}

describe.each(ENGINES)('the store of large states beside %s', (engine) => {
  it('loses the objects of removed states after the days that they are kept, and those of no other', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const other = { ...ADDRESS, key: 'other' };
    await built.write(ALICE, large(1));
    await built.write(ALICE, large(2));
    const gone = store.bodies;
    const body = Buffer.from(large(1));
    const once = (async function* () {
      yield body;
    })();
    await built.house.states.write(ALICE, other, once, { claim: NO_CLAIM, contentLength: body.length });
    const { keeper } = keptFor(built.engine, built.clock, store, { kept: 7 * DAY });
    await purge(outside);
    const weekly = { ...outside, kept: { ...outside.kept, keeper }, built, store } as OutsideHouse;
    await keep(weekly);
    expect(store.bodies).toHaveLength(3);
    outside.pass(7 * DAY);
    await keep(weekly);
    expect(store.bodies).toHaveLength(1);
    expect(gone).not.toContain(store.bodies[0]);
    expect(await built.engine.objects(null, 10)).toEqual(store.bodies);
    expect(await built.engine.goneObjects(null, 10)).toEqual([]);
    expect(keeper.counts).toEqual({ gone: 2, orphans: 0 });
  });

  it('goes on after a kill between the row and the object, and between the object and its note', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    for (const serial of [1, 2, 3]) await built.write(ALICE, large(serial));
    const [first = '', second = ''] = store.bodies;
    await purge(outside);
    // One is deleted already, but not yet forgotten; the store is down for the rest of this attempt.
    store.objects.delete(first);
    store.isDown = true;
    await expect(keep(outside)).rejects.toThrow('does not answer');
    expect(await built.engine.goneObjects(null, 10)).toHaveLength(3);
    store.isDown = false;
    expect(store.bodies).toContain(second);
    await keep(outside);
    expect(store.bodies).toEqual([]);
    expect(await built.engine.goneObjects(null, 10)).toEqual([]);
  });

  it('loses what nothing ever named after a day, and nothing that is named, young, on its way, or not its own', async () => {
    await using outside = await OutsideHouse.build(engine);
    const { built, store } = outside;
    const [text, orphan, young] = [large(1), randomUUID(), randomUUID()];
    await built.write(ALICE, text);
    const put = (name: string): Promise<void> => store.put(name, [Buffer.from('bytes')]);
    const strange = ['README.md', 'backup/a', `${orphan}.bak`];
    for (const name of [orphan, ...strange]) await put(name);
    await keep(outside);
    expect(store.bodies).toContain(orphan);
    outside.pass(DAY + MINUTE);
    await put(young);
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    store.beforePut = (name) => (name === 'statehouse-mark' ? Promise.resolve() : held);
    const writing = built.write(ALICE, large(2));
    await keep(outside);
    goOn();
    expect(await writing).toMatchObject({ type: 'stored' });
    const named = await built.engine.objects(null, 10);
    expect(named).toHaveLength(2);
    expect(store.bodies).toEqual([...named, young, ...strange].toSorted());
    expect(await built.read(ALICE, 1)).toBe(text);
    expect(outside.kept.keeper.counts).toEqual({ gone: 0, orphans: 1 });
  });

  it('keeps whatever is named, however many objects there are of each sort', async () => {
    await using outside = await OutsideHouse.build(engine, { stateBytesMax: 500_000 });
    const { built, store } = outside;
    for (let serial = 1; serial <= 12; serial += 1) await built.write(ALICE, large(serial, 0.15));
    for (let at = 0; at < 25; at += 1) await store.put(randomUUID(), [Buffer.from('orphan')]);
    const named = await built.engine.objects(null, 100);
    outside.pass(2 * DAY);
    await keep(outside);
    expect(store.bodies).toEqual(named);
    expect(named).toHaveLength(12);
  });
});

describe('a place of large states', () => {
  it('is of one server: a second one is refused, by name, and its small states go on', async () => {
    await using first = await OutsideHouse.build('memory');
    await first.built.write(ALICE, large(1));
    await using second = await OutsideHouse.build('memory', {}, first.store);
    await expect(second.built.write(ALICE, large(1))).rejects.toThrow(
      'memory://bodies belongs to another server, or to the one that this database is a copy of',
    );
    expect(await second.built.write(ALICE, sampleState(1))).toMatchObject({ type: 'stored' });
    await expect(second.kept.keeper.turn()).rejects.toThrow('belongs to another server');
    expect(await first.built.write(ALICE, large(2))).toMatchObject({ type: 'stored' });
  });

  it('is not taken by a copy of the database while the server that it was copied from runs', async () => {
    await using outside = await OutsideHouse.build('memory');
    const { built, store, kept } = outside;
    await built.write(ALICE, large(1));
    await kept.keeper.turn();
    const copy = new MemoryEngine(built.clock, sealedKeyId);
    for (const entry of await built.engine.entries(null))
      await copy.apply([{ type: 'put-entry', entry, note: null }]);
    const other = keptFor(copy, built.clock, store, { node: 'copy' });
    await other.keeper.turn();
    built.clock.advance(31 * MINUTE);
    await kept.keeper.turn();
    // The copy names none of them: it would delete all.
    outside.pass(3 * DAY);
    await expect(other.keeper.turn()).rejects.toThrow('belongs to another server');
    expect(store.bodies).toEqual(await built.engine.objects(null, 10));
    const taking = keptFor(copy, built.clock, store, { node: 'copy', takesOver: true });
    await taking.claim.require();
    await expect(kept.keeper.turn()).rejects.toThrow('belongs to another server');
  });

  it('that has lost its mark is another place', async () => {
    await using outside = await OutsideHouse.build('memory');
    const { built, store } = outside;
    await built.write(ALICE, large(1));
    store.objects.clear();
    built.clock.advance(11 * MINUTE);
    await expect(built.write(ALICE, large(2))).rejects.toThrow('it is another place, or was emptied');
  });

  it('is looked after by one node, and by another once that is silent', async () => {
    await using outside = await OutsideHouse.build('memory');
    const { built, store } = outside;
    Object.assign(built.engine, { traits: { name: 'memory', shared: true } });
    await built.write(ALICE, large(1));
    await purge(outside);
    const [one, other] = ['one', 'other'].map(
      (node) => keptFor(built.engine, built.clock, store, { node }).keeper,
    );
    await one?.turn();
    await other?.turn();
    built.clock.advance(29 * MINUTE);
    await one?.turn();
    await other?.turn();
    built.clock.advance(29 * MINUTE);
    await other?.turn();
    expect(store.bodies).toHaveLength(1);
    built.clock.advance(2 * MINUTE);
    await other?.turn();
    built.clock.advance(29 * MINUTE);
    await other?.turn();
    expect(store.bodies).toHaveLength(1);
    built.clock.advance(2 * MINUTE);
    await other?.turn();
    expect(store.bodies).toEqual([]);
  });
});
