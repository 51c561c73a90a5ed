import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import type { Caller } from '../../src/house/caller.ts';
import { Gate } from '../../src/house/gate.ts';
import { InFlightBudget } from '../../src/house/states/in-flight.ts';
import {
  FINISHED_LIFE,
  UPLOAD_LIFE,
  Uploads,
  UPLOADS_MAX,
  type Upload,
} from '../../src/house/states/uploads.ts';
import { Keyring } from '../../src/keyring/keyring.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';

const ADDRESS = { project: 'acme', key: 'terraform.tfstate', workspace: 'default' };
const SIZE_MAX = 1_000;

/** Credentials of which none is ever revoked. */
const ALL_GOOD = {
  isRevoked: () => false,
  look: () => Promise.resolve(),
  watch: () => () => undefined,
};

let now = 0;
let engine: MemoryEngine;
let uploads: Uploads;
let ids = 0;

function caller(name: string, pattern = '*'): Caller {
  const identity = {
    subject: `token:${name}`,
    grants: [{ role: 'writer' as const, pattern }],
  };
  return { identity, door: 's3' };
}

async function* stream(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function begin(who: Caller = caller('a')): Promise<Upload> {
  const begun = await uploads.begin(who, ADDRESS);
  if (begun.type !== 'begun') throw new Error(begun.type);
  return begun.upload;
}

beforeEach(() => {
  now = 1;
  const clock = { now: () => now, after: () => () => undefined };
  engine = new MemoryEngine(clock);
  uploads = new Uploads({
    records: { engine, clock },
    sealer: new Keyring([makeMasterKey(Buffer.alloc(32, 1))]),
    entropy: { bytes: (length) => Buffer.alloc(length), uuid: () => `id-${++ids}` },
    sizeMax: SIZE_MAX,
    inFlight: new InFlightBudget({ max: SIZE_MAX, bodyMax: SIZE_MAX }),
    gate: new Gate({ engine, clock, credentials: ALL_GOOD }),
  });
});

afterEach(async () => {
  await engine[Symbol.asyncDispose]();
});

describe('an upload in pieces', () => {
  it('is read in the order of its numbers, a piece sent again in the place of the first', async () => {
    const upload = await begin();
    await uploads.put(caller('a'), upload, 2, stream('c', 'd'));
    await uploads.put(caller('a'), upload, 1, stream('lost'));
    await uploads.put(caller('a'), upload, 1, stream('a', 'b'));
    const pieces = await uploads.pieces(upload);
    expect(pieces.map(({ number, size }) => [number, size])).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect((await buffer(uploads.read(pieces))).toString()).toBe('abcd');
    expect(JSON.stringify(await engine.body(pieces[0]?.bodyId ?? ''))).not.toContain('ab');
  });

  it('is seen by its own caller alone, at its own address alone', async () => {
    const { id } = await begin();
    expect(await uploads.find(caller('a'), ADDRESS, id)).toMatchObject({ type: 'upload' });
    expect(await uploads.find(caller('b'), ADDRESS, id)).toEqual({ type: 'absent' });
    expect(await uploads.find(caller('a'), { ...ADDRESS, key: 'other' }, id)).toEqual({ type: 'absent' });
    expect(await uploads.list(caller('a'), 'acme')).toMatchObject({ uploads: [{ id }] });
    expect(await uploads.list(caller('a'), 'other')).toMatchObject({ uploads: [] });
    expect((await uploads.begin(caller('a', 'other/*'), ADDRESS)).type).toBe('forbidden');
  });

  it('leaves nothing behind when it is finished or given up, and remembers for a while what it became', async () => {
    const upload = await begin();
    const kept = await uploads.put(caller('a'), upload, 1, stream('a'));
    const bodyId = kept.type === 'kept' ? kept.piece.bodyId : '';
    await uploads.finish(upload, { md5: 'd41d8cd9', version: 7 });
    expect(await engine.body(bodyId)).toBeNull();
    expect(await uploads.put(caller('a'), upload, 2, stream('late'))).toEqual({ type: 'absent' });
    expect(await uploads.pieces(upload)).toEqual([]);
    expect(await uploads.list(caller('a'), 'acme')).toMatchObject({ uploads: [] });
    expect(await uploads.find(caller('a'), ADDRESS, upload.id)).toMatchObject({
      upload: { became: { md5: 'd41d8cd9', version: 7 } },
    });
    now += FINISHED_LIFE + 1;
    expect(await uploads.find(caller('a'), ADDRESS, upload.id)).toEqual({ type: 'absent' });
    const other = await begin();
    await uploads.put(caller('a'), other, 1, stream('a'));
    await uploads.drop(other);
    expect(await uploads.find(caller('a'), ADDRESS, other.id)).toEqual({ type: 'absent' });
    expect(await uploads.pieces(other)).toEqual([]);
  });

  it('that is never finished expires with its pieces', async () => {
    const upload = await begin();
    const kept = await uploads.put(caller('a'), upload, 1, stream('a'));
    now += UPLOAD_LIFE + 1;
    await uploads.list(caller('a'), 'acme');
    expect(await engine.body(kept.type === 'kept' ? kept.piece.bodyId : '')).toBeNull();
    expect(await engine.entries('upload')).toEqual([]);
  });

  it('is bounded: in the sum of its pieces, and in how many are open', async () => {
    const upload = await begin();
    await uploads.put(caller('a'), upload, 1, stream('a'.repeat(600)));
    const over = await uploads.put(caller('a'), upload, 2, stream('a'.repeat(401)));
    expect(over).toEqual({ type: 'too-large', limit: SIZE_MAX });
    expect((await uploads.put(caller('a'), upload, 1, stream('a'.repeat(SIZE_MAX)))).type).toBe('kept');
    for (let open = 1; open < UPLOADS_MAX; open += 1) await begin();
    expect((await uploads.begin(caller('a'), ADDRESS)).type).toBe('busy');
    await uploads.drop(upload);
    await begin();
  });

  it('keeps nothing of a piece whose stream fails', async () => {
    const upload = await begin();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw new Error('connection lost');
    }
    await expect(uploads.put(caller('a'), upload, 1, failing())).rejects.toThrow('connection lost');
    expect(await uploads.pieces(upload)).toEqual([]);
  });
});
