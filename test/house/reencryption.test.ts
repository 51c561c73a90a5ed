import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSegments } from '../../src/house/states/segments.ts';
import type { WebhookWanted } from '../../src/house/webhooks/webhooks.ts';
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

  it('are not all: refused writes, pieces of uploads and secrets of webhooks are closed to the former key, too', async () => {
    const first = makeMasterKey(randomBytes(32));
    const keyring = new Keyring([first]);
    await using built = await BuiltHouse.build(engine, { sealer: keyring });
    const { house } = built;
    const terms = { claim: NO_CLAIM, contentLength: null };
    await house.states.write(ALICE, ADDRESS, once(sampleState(5)), terms);
    const late = sampleState(1);
    const refused = await house.states.write(ALICE, ADDRESS, once(late), terms);
    if (refused.type !== 'stale' || !('kept' in refused)) throw new Error(refused.type);
    const begun = await house.uploads.begin(ALICE, ADDRESS);
    if (begun.type !== 'begun') throw new Error(begun.type);
    await house.uploads.put(ALICE, begun.upload, 1, once('a piece'));
    const admin = callerOf('root', 'admin');
    const webhook = { name: 'w', url: 'https://example.com/', secret: 'a-secret-of-sixteen' };
    const wanted: WebhookWanted = { ...webhook, events: ['lock-broken'], pattern: '*', format: 'json' };
    expect((await house.webhooks.set(admin, wanted)).type).toBe('set');
    keyring.adopt([makeMasterKey(randomBytes(32)), first]);
    await house.beginReencryption();
    await house.reseal();
    const bodies = await built.engine.bodies(null, 100);
    expect(bodies).toHaveLength(4);
    expect(await house.reencrypt(ALICE, null, MINUTE)).toEqual({ done: 4, damaged: 0, next: null, left: 0 });
    const after = await built.engine.bodies(null, 100);
    expect(after.map(({ madeUnder }) => madeUnder)).toEqual(bodies.map(() => keyring.keyId));
    keyring.adopt([keyring.keys[0]]);
    const kept = await house.refusedWrites.read(ALICE, ADDRESS, refused.kept?.id ?? '');
    if (kept.type !== 'found') throw new Error(kept.type);
    expect(kept.write).toMatchObject({ serial: 1n, size: late.length });
    expect(await textOf(kept.bytes.plain())).toBe(late);
    const pieces = await house.uploads.pieces(begun.upload);
    expect(await textOf(house.uploads.read(pieces))).toBe('a piece');
  });

  it('do not bring back a refused write that is dropped meanwhile', async () => {
    const first = makeMasterKey(randomBytes(32));
    const keyring = new Keyring([first]);
    await using built = await BuiltHouse.build(engine, { sealer: keyring });
    const terms = { claim: NO_CLAIM, contentLength: null };
    await built.house.states.write(ALICE, ADDRESS, once(sampleState(5)), terms);
    const refused = await built.house.states.write(ALICE, ADDRESS, once(sampleState(1)), terms);
    if (refused.type !== 'stale' || !('kept' in refused)) throw new Error(refused.type);
    const id = refused.kept?.id ?? '';
    keyring.adopt([makeMasterKey(randomBytes(32)), first]);
    await built.house.reseal();
    const apply = built.engine.apply.bind(built.engine);
    let dropped = false;
    built.engine.apply = async (commands) => {
      if (!dropped && commands.some(({ type }) => type === 'put-entry')) {
        dropped = true;
        await built.house.refusedWrites.drop(ALICE, ADDRESS, id);
      }
      return apply(commands);
    };
    await built.house.reencrypt(ALICE, null, MINUTE);
    expect(dropped).toBe(true);
    expect(await built.house.refusedWrites.read(ALICE, ADDRESS, id)).toEqual({ type: 'absent' });
  });
});
