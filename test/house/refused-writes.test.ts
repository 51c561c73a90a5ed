import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { House } from '../../src/house/house.ts';
import type { Caller } from '../../src/house/caller.ts';
import { crowdedOut, REFUSED_MAX } from '../../src/house/states/refused-limits.ts';
import type { RefusedWrite } from '../../src/house/states/refused-records.ts';
import { explain, type Refusal } from '../../src/protocols/explain.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, inChunks } from './fixtures/built-house.ts';

const DAY = 86_400_000;
const ALICE = callerOf('alice');
const BOB = callerOf('bob');
const OPERATOR = callerOf('oscar', 'operator');

function stateText(serial: number, what = '', lineage = 'l'): string {
  return JSON.stringify({ version: 4, terraform_version: '1.11.4', serial, lineage, outputs: {}, what });
}

async function seen(house: House, caller: Caller): Promise<readonly RefusedWrite[]> {
  const answer = await house.refusedWrites.list(caller, ADDRESS);
  if (answer.type !== 'refused-writes') throw new Error(answer.type);
  return answer.writes;
}

async function bytesOf(house: House, caller: Caller, id: string): Promise<string> {
  const answer = await house.refusedWrites.read(caller, ADDRESS, id);
  if (answer.type !== 'found') return answer.type;
  const plain = answer.bytes.plain();
  return plain instanceof Uint8Array ? Buffer.from(plain).toString() : (await buffer(plain)).toString();
}

async function heldBy(
  house: House,
  caller: Caller,
  lockId: string,
  operation = 'OperationTypeApply',
): Promise<void> {
  const granted = await house.locks.lock(caller, ADDRESS, {
    lockId,
    operation,
    info: Buffer.from('{}'),
    tellsHoldersApart: true,
    alias: 'http',
    wait: null,
    gone: null,
  });
  if (granted.type !== 'granted') throw new Error(granted.type);
}

describe.each(ENGINES)('a refused write on %s', (engine) => {
  it('is kept byte for byte, and its refusal says where', async () => {
    await using built = await BuiltHouse.build(engine);
    const { house } = built;
    await built.write(BOB, stateText(3));
    // Neither shrinks nor fits into one segment, so that the engine is given its memory.
    const text = stateText(2, randomBytes(300_000).toString('base64'));
    const refusal = await built.write(ALICE, text);
    expect(refusal).toMatchObject({ type: 'stale', reason: 'serial-lower' });
    const [kept, ...others] = await seen(house, ALICE);
    expect(others).toEqual([]);
    expect(kept).toMatchObject({
      address: ADDRESS,
      subject: 'token:alice',
      door: 'test',
      outcome: 'stale',
      reason: 'serial-lower',
      lockId: null,
      head: { version: 1, serial: 3n, lineage: 'l' },
      serial: 2n,
      lineage: 'l',
      size: text.length,
      at: built.clock.now(),
      until: built.clock.now() + 14 * DAY,
    });
    expect(await bytesOf(house, ALICE, kept?.id ?? '')).toBe(text);
    expect(explain(refusal as Refusal, ADDRESS)).toContain(
      `"statehouse rescue acme/net/terraform.tfstate ${kept?.id}"`,
    );
    await house.audit.flush();
    const [noted] = await built.engine.audit({ action: 'write-kept', limit: 10 });
    expect(noted).toMatchObject({
      address: ADDRESS,
      note: { subject: 'token:alice', detail: { write: kept?.id, refused: 'stale', reason: 'serial-lower' } },
    });
  });

  it('is kept for a broken lock, for a lock of others and for a lock that plans share', async () => {
    await using built = await BuiltHouse.build(engine);
    const { house } = built;
    await heldBy(house, ALICE, 'a');
    await house.locks.unlock(OPERATOR, ADDRESS, { lockId: 'a', alias: null });
    const fenced = await built.write(ALICE, stateText(1, 'fenced'), { kind: 'named', lockId: 'a' });
    await heldBy(house, BOB, 'b', 'OperationTypePlan');
    const shared = await built.write(BOB, stateText(1, 'shared'), { kind: 'named', lockId: 'b' });
    const held = await built.write(ALICE, stateText(1, 'held'));
    expect([fenced.type, shared.type, held.type]).toEqual(['fenced', 'shared-hold', 'held']);
    const kept = await seen(house, OPERATOR);
    expect(kept.map(({ outcome, lockId, head }) => [outcome, lockId, head]).toSorted()).toEqual([
      ['fenced', 'a', null],
      ['held', null, null],
      ['shared-hold', 'b', null],
    ]);
  });

  it('tells whoever reads the database nothing that would confirm a guess of what is in it', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(BOB, stateText(3));
    const text = stateText(2, 'guess');
    await built.write(ALICE, text);
    const [{ id, sha256, size } = { id: '', sha256: '', size: 0 }] = await seen(built.house, ALICE);
    const digest = createHash('sha256').update(text).digest('hex');
    expect({ sha256, size }).toEqual({ sha256: digest, size: text.length });
    const stored = JSON.stringify(await built.engine.entries(null));
    expect(stored).not.toContain(digest);
    expect(stored).not.toContain('"size"');
    await built.house.reseal();
    expect(await bytesOf(built.house, ALICE, id)).toBe(text);
  });

  it('is kept once, however often its sender tries again', async () => {
    await using built = await BuiltHouse.build(engine);
    await built.write(BOB, stateText(3));
    const answers = await Promise.all([1, 2, 3].map(() => built.write(ALICE, stateText(2))));
    const ids = answers.map((answer) => ('kept' in answer ? answer.kept?.id : null));
    expect(new Set(ids).size).toBe(1);
    expect(await seen(built.house, ALICE)).toHaveLength(1);
    await built.write(ALICE, stateText(2, 'another'));
    expect(await seen(built.house, ALICE)).toHaveLength(2);
  });

  it('is not kept for who may not write, nor when it is no state', async () => {
    await using built = await BuiltHouse.build(engine);
    const reader = callerOf('rita', 'reader');
    await built.write(BOB, stateText(3));
    expect(await built.write(reader, stateText(2))).toMatchObject({ type: 'forbidden' });
    expect(await built.write(ALICE, '{"no": "state"}')).toMatchObject({ type: 'not-a-state' });
    expect(await seen(built.house, OPERATOR)).toEqual([]);
    expect(await built.engine.entries(null)).toEqual([]);
  });

  it('is seen by its sender and by operators, and by nobody else', async () => {
    await using built = await BuiltHouse.build(engine);
    const { house } = built;
    await built.write(BOB, stateText(3));
    await built.write(ALICE, stateText(2));
    const [{ id } = { id: '' }] = await seen(house, ALICE);
    expect(await seen(house, BOB)).toEqual([]);
    expect(await bytesOf(house, BOB, id)).toBe('absent');
    expect(await house.refusedWrites.drop(BOB, ADDRESS, id)).toEqual({ type: 'absent' });
    const former: Caller = { identity: { subject: 'token:alice', grants: [] }, door: 'test' };
    expect(await bytesOf(house, former, id)).toBe('absent');
    const elsewhere = { ...ADDRESS, workspace: 'dev' };
    expect(await house.refusedWrites.read(ALICE, elsewhere, id)).toEqual({ type: 'absent' });
    expect(await bytesOf(house, OPERATOR, id)).toBe(stateText(2));
    expect(await house.refusedWrites.drop(OPERATOR, ADDRESS, id)).toEqual({ type: 'dropped' });
    expect(await bytesOf(house, ALICE, id)).toBe('absent');
  });

  it('goes when its time is over', async () => {
    await using built = await BuiltHouse.build(engine, { refusedKept: DAY });
    await built.write(BOB, stateText(3));
    await built.write(ALICE, stateText(2));
    const [first] = await built.engine.entries(null);
    built.clock.advance(DAY - 1);
    expect(await seen(built.house, ALICE)).toHaveLength(1);
    built.clock.advance(1);
    expect(await seen(built.house, ALICE)).toEqual([]);
    expect(await built.engine.body(first?.bodyId ?? '')).toBeNull();
  });

  it('makes room by what is oldest, and is not kept at all where it is too large or nothing is to be kept', async () => {
    await using built = await BuiltHouse.build(engine, { refusedBytesMax: 10_000 });
    await built.write(BOB, stateText(3));
    for (const name of ['one', 'two', 'three']) {
      await built.write(ALICE, stateText(2, name + randomBytes(700).toString('base64')));
      built.clock.advance(1);
    }
    const texts = (await seen(built.house, ALICE)).map(({ id }) => bytesOf(built.house, ALICE, id));
    expect((await Promise.all(texts)).map((text) => /"what":"(one|two|three)/.exec(text)?.[1])).toEqual([
      'three',
      'two',
    ]);
    const large = await built.write(ALICE, stateText(2, randomBytes(3_000).toString('base64')));
    expect(large).not.toHaveProperty('kept');
    await using off = await BuiltHouse.build(engine, { refusedKept: 0 });
    await off.write(BOB, stateText(3));
    expect(await off.write(ALICE, stateText(2))).not.toHaveProperty('kept');
    expect(await off.engine.entries(null)).toEqual([]);
  });
});

it('keeps so many of an address, of a credential, of a project and in all, and the oldest go first', () => {
  const settings = { refusedKept: DAY, refusedBytesMax: 1_000_000 };
  let at = 0;
  const one = (subject: string, project: string, key: string): Parameters<typeof crowdedOut>[1] => ({
    id: `w${(at += 1)}`,
    address: { project, key, workspace: 'default' },
    subject,
    at,
    stored: 1,
  });
  const many = (
    count: number,
    make: (n: number) => Parameters<typeof crowdedOut>[1],
  ): Parameters<typeof crowdedOut>[0] => Array.from({ length: count }, (_, n) => make(n));
  const cases = [
    many(REFUSED_MAX.address, () => one('s', 'p', 'k')),
    many(REFUSED_MAX.subject, (n) => one('s', `p${n}`, 'k')),
    many(REFUSED_MAX.project, (n) => one(`s${n}`, 'p', `k${n}`)),
    many(REFUSED_MAX.house, (n) => one(`s${n}`, `p${n}`, 'k')),
  ];
  for (const kept of cases) {
    expect(crowdedOut(kept, one('s', 'p', 'k'), settings)).toEqual([kept[0]?.id]);
    expect(crowdedOut(kept.slice(1), one('s', 'p', 'k'), settings)).toEqual([]);
  }
});

it('leaves nothing of a write that is not refused', async () => {
  await using built = await BuiltHouse.build('memory');
  const bytes = Buffer.from(stateText(1));
  const terms = { claim: { kind: 'none' }, contentLength: bytes.length } as const;
  expect(await built.house.states.write(ALICE, ADDRESS, inChunks(bytes), terms)).toMatchObject({
    type: 'stored',
  });
  expect(built.house.inFlightBytes).toBe(0);
  expect(await built.engine.entries(null)).toEqual([]);
});
