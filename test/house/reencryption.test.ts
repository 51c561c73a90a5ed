import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSegments } from '../../src/house/states/segments.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';
import { Keyring } from '../../src/keyring/keyring.ts';
import { sampleState } from '../support/sample-state.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, NO_CLAIM, type EngineName } from './fixtures/built-house.ts';

const ALICE = callerOf('alice');
const MINUTE = 60_000;

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function textOf(chunks: AsyncIterable<Uint8Array> | Uint8Array): Promise<string> {
  if (chunks instanceof Uint8Array) return Buffer.from(chunks).toString();
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all).toString();
}

/** A house whose master key was changed, with states from before. */
async function rotated(
  engine: EngineName,
  states: readonly string[],
): Promise<{ built: BuiltHouse; keyring: Keyring; old: Keyring }> {
  const first = makeMasterKey(randomBytes(32));
  const keyring = new Keyring([first]);
  const built = await BuiltHouse.build(engine, { sealer: keyring });
  for (const [at, text] of states.entries()) {
    const address = { ...ADDRESS, key: `k${at}` };
    const terms = { claim: NO_CLAIM, contentLength: null };
    expect(await built.house.states.write(ALICE, address, once(text), terms)).toMatchObject({
      type: 'stored',
    });
  }
  const next = makeMasterKey(randomBytes(32));
  keyring.adopt([next, first]);
  await built.house.beginReencryption();
  await built.house.reseal();
  return { built, keyring, old: new Keyring([first]) };
}

async function readAll({ house }: BuiltHouse, count: number): Promise<string[]> {
  const texts: string[] = [];
  for (let at = 0; at < count; at += 1) {
    const answer = await house.states.read(ALICE, { ...ADDRESS, key: `k${at}` });
    texts.push(answer.type === 'found' ? await textOf(answer.bytes.plain()) : answer.type);
  }
  return texts;
}

/** Not compressible, so that it has several segments. */
function large(serial: number, megabytes = 0.9): string {
  return sampleState(serial, { said: randomBytes(megabytes * 700_000).toString('base64') });
}

describe.each(ENGINES)('states that are encrypted anew on %s', (engine) => {
  it('are closed to who had the former key, and open without it', async () => {
    const texts = [sampleState(1), sampleState(2), large(3)];
    const { built, keyring, old } = await rotated(engine, texts);
    await using _ = built;
    const { bodyId } = (await built.engine.version({ ...ADDRESS, key: 'k0' }, 1)) ?? { bodyId: '' };
    const before = await built.engine.body(bodyId);
    expect(await built.house.reencrypt(ALICE, null, MINUTE)).toEqual({
      done: 3,
      damaged: 0,
      next: null,
      left: 0,
    });
    // The thief knows the data key by its old wrapping; what it opened is not what is kept.
    const after = await built.engine.body(bodyId);
    expect(after?.madeUnder).toBe(keyring.keyId);
    expect(() => old.open(after?.wrappedKey ?? Buffer.alloc(0), `data-key ${bodyId}`)).toThrow('master key');
    if (before === null || after === null) throw new Error('the body is gone');
    const stolen = { ...before, segments: after.segments };
    await expect(async () => {
      for await (const segment of openSegments(stolen, keyring)) expect(segment).toBeDefined();
    }).rejects.toThrow('cannot be decrypted');
    keyring.adopt([keyring.keys[0]]);
    expect(await readAll(built, 3)).toEqual(texts);
    expect(await built.house.isReencrypting()).toBe(false);
    expect(await built.house.reencrypt(ALICE, null, MINUTE)).toMatchObject({ done: 0, left: 0 });
  });

  it('are done in as many goes as there is time for, also after a restart', async () => {
    const texts = Array.from({ length: 7 }, (_, at) => sampleState(at + 1));
    const { built, keyring } = await rotated(engine, texts);
    await using _ = built;
    const first = await built.house.reencrypt(ALICE, null, 0);
    expect(first).toMatchObject({ done: 1, left: 6 });
    expect(await built.house.reencrypt(ALICE, first.next, 0)).toMatchObject({ done: 1, left: null });
    // Whoever asks knows nothing of what was done: it begins again, and what is done stays done.
    expect(await built.house.isReencrypting()).toBe(true);
    expect(await built.house.reencrypt(ALICE, null, MINUTE)).toMatchObject({ done: 5, left: 0, next: null });
    keyring.adopt([keyring.keys[0]]);
    expect(await readAll(built, 7)).toEqual(texts);
  });

  it('are read to their end by who has begun, while others write', async () => {
    const texts = [large(1), sampleState(1)];
    const { built } = await rotated(engine, texts);
    await using _ = built;
    const answer = await built.house.states.read(ALICE, { ...ADDRESS, key: 'k0' });
    if (answer.type !== 'found') throw new Error(answer.type);
    const plain = answer.bytes.plain();
    if (plain instanceof Uint8Array) throw new Error('it is not large');
    const reading = plain[Symbol.asyncIterator]();
    const begun = [(await reading.next()).value as Uint8Array];
    const written = built.house.states.write(ALICE, { ...ADDRESS, key: 'k1' }, once(sampleState(2)), {
      claim: NO_CLAIM,
      contentLength: null,
    });
    expect(await built.house.reencrypt(ALICE, null, MINUTE)).toMatchObject({ done: 2, damaged: 0 });
    expect(await written).toMatchObject({ type: 'stored' });
    const chunks = { [Symbol.asyncIterator]: () => reading };
    for await (const chunk of chunks) begun.push(chunk);
    expect(Buffer.concat(begun).toString()).toBe(texts[0]);
    expect(await readAll(built, 2)).toEqual([texts[0], sampleState(2)]);
  });

  it('are not spoiled by another change of the key that had read them before', async () => {
    const { built, keyring } = await rotated(engine, [sampleState(1)]);
    await using _ = built;
    const third = makeMasterKey(randomBytes(32));
    const [late] = await built.engine.sealedUnderOther(third.id, 10);
    await built.house.reencrypt(ALICE, null, MINUTE);
    if (late?.kind !== 'body') throw new Error('no body was found');
    const wrappedKey = keyring.resealDataKey(late.wrappedKey, late.id);
    await built.engine.apply([
      { type: 'reseal', items: [{ ...late, wrappedKey, replaces: late.wrappedKey }] },
    ]);
    expect(await readAll(built, 1)).toEqual([sampleState(1)]);
  });

  it('leaves refused writes as they are, which can be read on', async () => {
    const { built } = await rotated(engine, [sampleState(5)]);
    await using _ = built;
    const address = { ...ADDRESS, key: 'k0' };
    const terms = { claim: NO_CLAIM, contentLength: null };
    const refused = await built.house.states.write(ALICE, address, once(sampleState(1)), terms);
    if (refused.type !== 'stale' || !('kept' in refused)) throw new Error(refused.type);
    expect(await built.house.reencrypt(ALICE, null, MINUTE)).toMatchObject({ done: 1, left: 0 });
    const id = refused.kept?.id ?? '';
    expect(await built.house.refusedWrites.read(ALICE, address, id)).toMatchObject({ type: 'found' });
  });
});
