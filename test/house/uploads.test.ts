import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import type { Role } from '../../src/core/grant.ts';
import { MemoryEngine } from '../../src/engines/memory/engine.ts';
import { Audit } from '../../src/house/audit.ts';
import { Budget, sharesOf } from '../../src/house/budget.ts';
import type { Caller } from '../../src/house/caller.ts';
import { Gate } from '../../src/house/gate.ts';
import { FINISHED_LIFE, UPLOAD_LIFE, UPLOADS_MAX } from '../../src/house/states/upload-limits.ts';
import { pieceKindOf } from '../../src/house/records/kinds.ts';
import type { Upload } from '../../src/house/states/upload-records.ts';
import { SWEEP_MS, Uploads } from '../../src/house/states/uploads.ts';
import { NO_SINK } from '../../src/ports/audit-sink.ts';
import { Keyring } from '../../src/keyring/keyring.ts';
import { makeMasterKey } from '../../src/keyring/key-text.ts';

const ADDRESS = { project: 'acme', key: 'terraform.tfstate', workspace: 'default' };
const SIZE_MAX = 1_000;
const IDLE = 60 * 60_000;
const LOG = { debug() {}, info() {}, warn() {}, error() {} };

/** Credentials of which none is ever revoked. */
const ALL_GOOD = {
  isOvertaken: () => false,
  look: () => Promise.resolve(),
  watch: () => () => undefined,
};

let clock: ManualClock;
let engine: MemoryEngine;
let audit: Audit;
let uploads: Uploads;
let ids = 0;

function caller(name: string, pattern = '*', role: Role = 'writer'): Caller {
  return { identity: { subject: `token:${name}`, grants: [{ role, pattern }] }, door: 's3' };
}

const addressOf = (key: string, project = 'acme'): typeof ADDRESS => ({ project, key, workspace: 'default' });

async function* stream(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function begin(who: Caller = caller('a'), address = ADDRESS): Promise<Upload> {
  const begun = await uploads.begin(who, address);
  if (begun.type !== 'begun') throw new Error(begun.type);
  return begun.upload;
}

/** What the audit log says of uploads, oldest first. */
async function noted(): Promise<readonly string[]> {
  await audit.flush();
  const records = await engine.audit({ limit: 100 });
  return records.map(({ note }) => `${note.action} ${note.subject}`).toReversed();
}

beforeEach(() => {
  clock = new ManualClock(1);
  engine = new MemoryEngine(clock);
  const gate = new Gate({ engine, clock, credentials: ALL_GOOD });
  audit = new Audit({ engine, clock, log: LOG, gate, sink: NO_SINK });
  uploads = new Uploads({
    records: { engine, clock },
    sealer: new Keyring([makeMasterKey(Buffer.alloc(32, 1))]),
    entropy: { bytes: (length) => Buffer.alloc(length), uuid: () => `id-${++ids}` },
    audit,
    log: LOG,
    sizeMax: SIZE_MAX,
    settings: { uploadBytesMax: 4 * SIZE_MAX, uploadIdle: IDLE },
    inFlight: new Budget(sharesOf(10 * SIZE_MAX, SIZE_MAX)),
    gate,
  });
});

afterEach(async () => {
  uploads.close();
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

  it('reads none of the pieces that came before to take one more', async () => {
    const upload = await begin();
    for (let number = 1; number <= 5; number += 1)
      await uploads.put(caller('a'), upload, number, stream('a'));
    const read = vi.spyOn(engine, 'entries');
    await uploads.put(caller('a'), upload, 6, stream('a'));
    expect(read.mock.calls.map(([kind]) => kind)).not.toContain(pieceKindOf(upload.id));
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
    await uploads.finish(caller('a'), upload, { md5: 'd41d8cd9', version: 7 });
    expect(await engine.body(bodyId)).toBeNull();
    expect(await uploads.put(caller('a'), upload, 2, stream('late'))).toEqual({ type: 'absent' });
    expect(await uploads.pieces(upload)).toEqual([]);
    expect(await uploads.list(caller('a'), 'acme')).toMatchObject({ uploads: [] });
    expect(await uploads.find(caller('a'), ADDRESS, upload.id)).toMatchObject({
      upload: { became: { md5: 'd41d8cd9', version: 7 } },
    });
    clock.advance(FINISHED_LIFE + 1);
    expect(await uploads.find(caller('a'), ADDRESS, upload.id)).toEqual({ type: 'absent' });
    const other = await begin();
    await uploads.put(caller('a'), other, 1, stream('a'));
    await uploads.abort(caller('a'), other);
    expect(await uploads.find(caller('a'), ADDRESS, other.id)).toEqual({ type: 'absent' });
    expect(await uploads.pieces(other)).toEqual([]);
  });

  it('of which nothing comes ends after a while, and after a day in any case', async () => {
    uploads.keepSwept();
    const [idle, busy] = [await begin(), await begin()];
    const kept = await uploads.put(caller('a'), idle, 1, stream('a'));
    for (let passed = 0; passed < UPLOAD_LIFE - IDLE; passed += IDLE / 2) {
      await uploads.put(caller('a'), busy, 1, stream('a'));
      clock.advance(IDLE / 2);
    }
    await noted();
    expect(await engine.body(kept.type === 'kept' ? kept.piece.bodyId : '')).toBeNull();
    expect((await engine.entries('upload')).map(({ name }) => name)).toEqual([busy.id]);
    clock.advance(IDLE / 2);
    await uploads.put(caller('a'), busy, 1, stream('a'));
    clock.advance(IDLE / 2);
    expect((await uploads.put(caller('a'), busy, 1, stream('a'))).type).toBe('kept');
    clock.advance(1 + SWEEP_MS);
    await uploads.sweep();
    expect(await engine.entries(null)).toEqual([]);
    expect(await noted()).toEqual([
      'upload-begin token:a',
      'upload-begin token:a',
      'upload-expire house:node',
      'upload-expire house:node',
    ]);
  });

  it('leaves no pieces behind when its node is killed while it ends', async () => {
    const upload = await begin();
    const kept = await uploads.put(caller('a'), upload, 1, stream('a'));
    await engine.apply([{ type: 'drop-entry', kind: 'upload', name: upload.id, note: null }]);
    await uploads.sweep();
    expect(await engine.entries(null)).toEqual([]);
    expect(await engine.body(kept.type === 'kept' ? kept.piece.bodyId : '')).toBeNull();
  });

  it('is bounded in the sum of its pieces', async () => {
    const upload = await begin();
    await uploads.put(caller('a'), upload, 1, stream('a'.repeat(600)));
    const over = await uploads.put(caller('a'), upload, 2, stream('a'.repeat(401)));
    expect(over).toEqual({ type: 'too-large', limit: SIZE_MAX });
    expect((await uploads.put(caller('a'), upload, 1, stream('a'.repeat(SIZE_MAX)))).type).toBe('kept');
    const both = await begin(caller('b'));
    const parts = [1, 2].map((number) => uploads.put(caller('b'), both, number, stream('a'.repeat(600))));
    expect((await Promise.all(parts)).map(({ type }) => type).sort()).toEqual(['kept', 'too-large']);
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

describe('uploads of one credential', () => {
  it('never take the place of others: another begins one while all of its own are open', async () => {
    const begun = Array.from({ length: UPLOADS_MAX.subject + 1 }, (_, n) =>
      uploads.begin(caller('a'), addressOf(`k${n}`)),
    );
    const answers = (await Promise.all(begun)).map(({ type }) => type);
    expect(answers.filter((type) => type === 'busy')).toHaveLength(1);
    expect((await uploads.begin(caller('b'), addressOf('k'))).type).toBe('begun');
    const listed = await uploads.list(caller('a'), 'acme');
    const mine = listed.type === 'uploads' ? listed.uploads[0] : undefined;
    if (mine === undefined) throw new Error('none is listed');
    await uploads.abort(caller('a'), mine);
    expect((await uploads.begin(caller('a'), addressOf('k'))).type).toBe('begun');
  });

  it('never fill an address or a project of which others have a part', async () => {
    for (let n = 0; n < UPLOADS_MAX.address; n += 1) await begin(caller('a'));
    expect(await uploads.begin(caller('b'), ADDRESS)).toMatchObject({ type: 'busy', full: 'uploads' });
    for (let n = UPLOADS_MAX.address; n < UPLOADS_MAX.project; n += 1)
      await begin(caller(`c${n % 4}`), addressOf(`k${n}`));
    expect((await uploads.begin(caller('b'), addressOf('other'))).type).toBe('busy');
    expect((await uploads.begin(caller('b'), addressOf('k', 'elsewhere'))).type).toBe('begun');
  });

  it('keep a quarter of the bytes at most, and the others have the rest', async () => {
    const [first, second] = [await begin(), await begin()];
    expect((await uploads.put(caller('a'), first, 1, stream('a'.repeat(700)))).type).toBe('kept');
    const over = await uploads.put(caller('a'), second, 1, stream('a'.repeat(301)));
    expect(over).toMatchObject({ type: 'busy', full: 'uploads' });
    expect((await uploads.put(caller('a'), second, 1, stream('a'.repeat(300)))).type).toBe('kept');
    let read = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      read = true;
      yield* stream('a');
    }
    expect((await uploads.put(caller('a'), second, 2, watched())).type).toBe('busy');
    expect(read).toBe(false);
    const other = await begin(caller('b'));
    expect((await uploads.put(caller('b'), other, 1, stream('a'.repeat(SIZE_MAX)))).type).toBe('kept');
    await uploads.abort(caller('a'), first);
    expect((await uploads.put(caller('a'), second, 2, stream('a'.repeat(700)))).type).toBe('kept');
  });

  it('are seen and ended by admins of their addresses, who add nothing to them', async () => {
    const upload = await begin();
    await uploads.put(caller('a'), upload, 1, stream('a'));
    const admins = [caller('house', '*', 'admin'), caller('address', 'acme/*', 'admin')];
    for (const admin of admins) {
      expect(await uploads.list(admin, 'acme')).toMatchObject({ uploads: [{ id: upload.id }] });
      expect(await uploads.look(admin, ADDRESS, upload.id)).toMatchObject({
        upload: { subject: 'token:a' },
      });
      expect(await uploads.find(admin, ADDRESS, upload.id)).toEqual({ type: 'absent' });
    }
    for (const stranger of [caller('b'), caller('b', 'other/*', 'admin')]) {
      expect(await uploads.list(stranger, 'acme')).toEqual({ type: 'uploads', uploads: [] });
      expect((await uploads.look(stranger, ADDRESS, upload.id)).type).not.toBe('upload');
    }
    await uploads.abort(caller('house', '*', 'admin'), upload);
    expect(await engine.entries(null)).toEqual([]);
    await uploads.finish(caller('a'), await begin(), { md5: 'd4', version: 1 });
    expect(await noted()).toEqual([
      'upload-begin token:a',
      'upload-abort token:house',
      'upload-begin token:a',
      'upload-complete token:a',
    ]);
  });

  it('end for it when its credential expires', async () => {
    const upload = await begin();
    const { identity } = caller('a');
    const late = { ...caller('a'), identity: { ...identity, expiry: { at: 0, graceUntil: Infinity } } };
    expect(await uploads.begin(late, ADDRESS)).toEqual({ type: 'expired' });
    expect(await uploads.find(late, ADDRESS, upload.id)).toEqual({ type: 'expired' });
    expect(await uploads.put(late, upload, 1, stream('a'))).toEqual({ type: 'expired' });
    expect(await uploads.list(late, 'acme')).toEqual({ type: 'expired' });
  });
});
