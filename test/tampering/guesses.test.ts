import { createHash, hash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import type { Caller } from '../../src/house/caller.ts';
import { pieceKindOf, UPLOAD_KIND } from '../../src/house/records/kinds.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { sampleState } from '../support/sample-state.ts';
import { inDatabase, inDirectory, openOn, type StoredHouse } from './stored-house.ts';

const programs = await findPostgres();
const ADDRESS = { project: 'acme', key: 'prod', workspace: 'default' };
const WRITER: Caller = {
  identity: { subject: 'token:writer', grants: [{ role: 'writer', pattern: '*' }] },
  door: 's3',
};
/** A state of which a guess is to be confirmed by nobody. */
const SECRET = sampleState(3, { said: 'correct horse battery staple' });
const PIECES = [SECRET.slice(0, 40), SECRET.slice(40)];

describe('a guess of a state', () => {
  describe('whose house is in SQLite', () => isConfirmedByNothing(inDirectory));

  describe.skipIf(programs === null)(
    'whose house is in PostgreSQL (skipped unless postgres is on PATH)',
    () => {
      let server: PostgresServer;
      beforeAll(async () => {
        server = await PostgresServer.start(programs!);
      });
      afterAll(() => server[Symbol.asyncDispose]());
      isConfirmedByNothing(() => inDatabase(server));
    },
  );
});

function isConfirmedByNothing(open: () => Promise<StoredHouse & { readonly directory?: string }>): void {
  it('is confirmed by no digest in the database: of states, refused writes, uploads and announced states', async () => {
    await using stored = await open();
    await using house = await openOn(stored);
    expect((await house.ask('POST', '/http/acme/prod', { body: SECRET })).status).toBe(200);
    const stale = sampleState(1, { said: 'correct horse battery staple' });
    expect((await house.ask('POST', '/http/acme/prod', { body: stale })).status).toBe(409);
    const [open_, finished] = [await filled(house), await filled(house)];
    const notes = { ChecksumSHA256: base64('sha256', SECRET) };
    await house.house.uploads.finish(WRITER, finished, { md5: hex('md5', SECRET), version: 1, notes });
    await announce(house, sampleState(9, { said: 'hunter2' }));

    const told = await everythingIn(stored);
    const guesses = [SECRET, stale, sampleState(9, { said: 'hunter2' }), ...PIECES];
    for (const guess of guesses) for (const digest of digestsOf(guess)) expect(told).not.toContain(digest);
    expect(told).not.toContain('hunter2');

    // Who may ask is still told all of it.
    const pieces = await house.house.uploads.pieces(open_);
    expect(pieces.map(({ md5 }) => md5)).toEqual(PIECES.map((piece) => hex('md5', piece)));
    expect(pieces.map(({ notes: of }) => of?.['crc32'])).toEqual(PIECES.map(crcOf));
    const found = await house.house.uploads.find(WRITER, ADDRESS, finished.id);
    expect(found).toMatchObject({ upload: { became: { md5: hex('md5', SECRET), version: 1, notes } } });
  });

  it('was possible with uploads that an earlier program has stored, which are still read', async () => {
    await using stored = await open();
    await using house = await openOn(stored);
    const upload = await filled(house);
    const [piece] = await house.house.uploads.pieces(upload);
    const at = Date.now();
    const clear = { number: 1, size: 40, md5: 'm', sha256: 's', at, notes: { crc32: 'c' } };
    const sealed = await house.engine.entry(pieceKindOf(upload.id), '1');
    const was = { ...sealed!, attributes: clear };
    const { bodyId: _, ...bodiless } = was;
    await house.engine.apply([
      { type: 'put-entry', entry: bodiless, note: null },
      {
        type: 'put-entry',
        entry: {
          kind: UPLOAD_KIND,
          name: 'former',
          attributes: {
            address: ADDRESS,
            subject: 'token:writer',
            startedAt: at,
            finishedAt: at,
            attributes: { md5: 'whole', version: 4 },
          },
        },
        note: null,
      },
    ]);
    expect(piece?.bodyId).not.toBe('');
    const [first, second] = await house.house.uploads.pieces(upload);
    expect(first).toMatchObject(clear);
    expect(second?.md5).toBe(hex('md5', PIECES[1] ?? ''));
    const found = await house.house.uploads.find(WRITER, ADDRESS, 'former');
    expect(found).toMatchObject({ upload: { became: { md5: 'whole', version: 4 } } });
  });
}

/** An upload with both pieces, with the checksums that a door notes of them. */
async function filled(house: TestHouse): Promise<Awaited<ReturnType<typeof begin>>> {
  const upload = await begin(house);
  for (const [index, piece] of PIECES.entries()) {
    const notes = { sha256: base64('sha256', piece), crc32: crcOf(piece) };
    const put = await house.house.uploads.put(WRITER, upload, index + 1, once(piece), () => notes);
    expect(put.type).toBe('kept');
  }
  return upload;
}

async function begin(house: TestHouse) {
  const begun = await house.house.uploads.begin(WRITER, ADDRESS);
  if (begun.type !== 'begun') throw new Error(begun.type);
  return begun.upload;
}

/** Announces a state at the hcp door that is sent never. */
async function announce(house: TestHouse, text: string): Promise<void> {
  const announced = await house.house.workspaces.pending.begin(
    WRITER,
    { ...ADDRESS, key: 'announced' },
    `sv-${hex('md5', text)}`,
    { serial: 9n, lineage: 'l', md5: hex('md5', text), claim: { kind: 'unnamed', aliases: [] } },
  );
  expect(announced.type).toBe('begun');
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** Every value in every table, and every byte of the files where there are any: a backup has nothing else. */
async function everythingIn(stored: StoredHouse & { readonly directory?: string }): Promise<string> {
  if (stored.directory !== undefined) {
    const names = (await readdir(stored.directory)).filter((name) => name.startsWith('statehouse.db'));
    const files = await Promise.all(names.map((name) => readFile(join(stored.directory!, name), 'latin1')));
    return files.join('\n');
  }
  const tables = await stored.sql(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'statehouse'",
  );
  const all: string[] = [];
  for (const { name } of tables)
    for (const row of await stored.sql(`SELECT * FROM ${String(name)}`))
      for (const value of Object.values(row))
        all.push(value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : JSON.stringify(value));
  return all.join('\n');
}

/** The ways in which a digest may be written. */
function digestsOf(text: string): readonly string[] {
  const written = ['md5', 'sha1', 'sha256', 'sha512'].flatMap((name) => {
    const bytes = createHash(name).update(text).digest();
    return [
      bytes.toString('hex'),
      bytes.toString('base64'),
      bytes.toString('base64url'),
      bytes.toString('latin1'),
    ];
  });
  return [...written, crcOf(text)];
}

function hex(name: string, text: string): string {
  return hash(name, text, 'hex');
}

function base64(name: string, text: string): string {
  return hash(name, text, 'base64');
}

/** As S3 writes it. */
function crcOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}
