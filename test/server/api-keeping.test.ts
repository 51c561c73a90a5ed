import { mkdtemp, open, readdir, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/engines/sqlite/files/driver.ts';
import { restoreBackup } from '../../src/engines/sqlite/files/backup.ts';
import { parseMasterKeys } from '../../src/keyring/key-text.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { callApi } from './api-client.ts';

const A = '/http/acme/a';

const PAGE_BYTES = 4_096;
/** What a page of a table begins with that holds rows (SQLite file format, "B-tree Pages"). */
const LEAF = 0x0d;

/** Where the last page of rows begins: one that is only looked at when somebody asks for what stands on it. */
async function lastLeaf(file: FileHandle, size: number): Promise<number> {
  for (let at = size - PAGE_BYTES; at > 0; at -= PAGE_BYTES) {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at);
    if (buffer[0] === LEAF) return at;
  }
  throw new Error('the database has no page of rows');
}

describe('a house on the embedded engine', () => {
  let root: string;
  let directory: string;
  let house: TestHouse;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'statehouse-keeping-'));
    directory = join(root, 'data');
    house = await TestHouse.open({ store: { kind: 'directory', path: directory } });
  });
  afterEach(async () => {
    await house.close();
    await rm(root, { recursive: true, force: true });
  });

  const keyFile = async (): Promise<readonly string[]> =>
    parseMasterKeys(await readFile(join(directory, 'master.key'), 'utf8')).map(({ id }) => id);

  it('changes its master key while it is open, and needs the former one no more', async () => {
    await house.ask('POST', A, { body: sampleState(1) });
    await house.ask('LOCK', A, { body: sampleLock('one') });
    const reader = await house.credential('reader', [{ role: 'reader', pattern: '*' }]);
    const [former] = await keyFile();
    const { json } = await callApi(house, 'POST /rotate-key');
    expect(json).toMatchObject({ newKey: true });
    // The data key of one state, two credentials' secrets, one lock info, and the key of the rows' codes.
    expect(json['sealedAnew']).toBe(5);
    expect(await keyFile()).toEqual([String(json['keyId'])]);
    expect(String(json['keyId'])).not.toBe(former);
    expect((await house.ask('GET', A, { as: reader })).text).toBe(sampleState(1));
    await house.close();
    house = await TestHouse.open({ store: { kind: 'directory', path: directory } });
    expect((await house.ask('GET', A, { as: reader })).text).toBe(sampleState(1));
    expect((await callApi(house, 'GET /locks')).json).toMatchObject({
      locks: [{ holders: [{ lockId: 'one', info: { Who: 'alice@laptop' } }] }],
    });
    const audit = await callApi(house, 'GET /audit?action=rotate-key');
    expect(audit.json['records']).toMatchObject([{ detail: { key: json['keyId'], sealed: 5 } }]);
  });

  it('does one change of the key at a time', async () => {
    for (let key = 0; key < 30; key += 1) {
      await house.ask('POST', `/http/acme/${key}`, { body: sampleState(1) });
    }
    const both = await Promise.all([callApi(house, 'POST /rotate-key'), callApi(house, 'POST /rotate-key')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await keyFile()).toHaveLength(1);
    for (let key = 0; key < 30; key += 1) {
      expect((await house.ask('GET', `/http/acme/${key}`)).text).toBe(sampleState(1));
    }
  });

  it('gives a copy of itself, of which another house can be made, and leaves nothing behind', async () => {
    const body = sampleState(1, { size: 3_000_000 });
    await house.ask('POST', A, { body });
    const answer = await callApi(house, 'POST /backup');
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/vnd.sqlite3']);
    expect(answer.headers['content-length']).toBe(String(answer.bytes.length));
    await house.ask('POST', A, { body: sampleState(2) });
    const copy = join(root, 'copy.db');
    const other = join(root, 'other');
    await writeFile(copy, answer.bytes);
    restoreBackup(copy, other);
    await writeFile(join(other, 'master.key'), await readFile(join(directory, 'master.key')), {
      mode: 0o600,
    });
    await using second = await TestHouse.open({ store: { kind: 'directory', path: other } });
    expect((await second.ask('GET', A)).text).toBe(body);
    expect((await house.ask('GET', A)).text).toBe(sampleState(2));
    expect((await readdir(directory)).filter((name) => name.startsWith('backup-'))).toEqual([]);
    const audit = await callApi(house, 'GET /audit?action=backup');
    expect(audit.json['records']).toMatchObject([{ detail: { bytes: answer.bytes.length } }]);
  });

  it('gives a copy of a damaged database all the same, and says what is wrong with it', async () => {
    for (const key of ['a', 'b', 'c']) {
      await house.ask('POST', `/http/acme/${key}`, { body: sampleState(1, { size: 2_000_000 }) });
    }
    await house.close();
    const path = join(directory, 'statehouse.db');
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    await file.write(Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, await lastLeaf(file, size));
    await file.close();
    house = await TestHouse.open({ store: { kind: 'directory', path: directory } });
    const { status, headers, bytes } = await callApi(house, 'POST /backup');
    expect([status, bytes.length]).toEqual([200, size]);
    expect(headers['x-statehouse-damage']).toContain('damaged');
  });

  it('looks at every page on request, and says what is wrong with them', async () => {
    await house.ask('POST', A, { body: sampleState(1) });
    const sound = await callApi(house, 'POST /check');
    expect([sound.status, sound.json]).toEqual([200, { damage: null }]);
    const as = await house.credential('owner', [{ role: 'admin', pattern: 'acme/*' }]);
    expect((await callApi(house, 'POST /check', { as })).status).toBe(403);
    await house.close();
    await breakIndex(join(directory, 'statehouse.db'));
    house = await TestHouse.open({ store: { kind: 'directory', path: directory } });
    const damaged = await callApi(house, 'POST /check');
    expect([damaged.status, damaged.json['damage']]).toEqual([
      200,
      expect.stringContaining('the database is damaged'),
    ]);
    // A copy has its indexes made anew, and is whole; that its original is not must be told all the same.
    const { headers } = await callApi(house, 'POST /backup');
    expect(headers['x-statehouse-damage']).toContain('damaged');
    const audit = await callApi(house, 'GET /audit?action=check');
    expect(audit.json['records']).toMatchObject([
      { detail: { damaged: true } },
      { detail: { damaged: false } },
    ]);
  });

  it('makes no copy for who may not manage it, and removes what a killed one has left', async () => {
    const as = await house.credential('owner', [{ role: 'admin', pattern: 'acme/*' }]);
    expect((await callApi(house, 'POST /backup', { as })).status).toBe(403);
    await house.close();
    const left = 'backup-0f8fad5b-d9cb-469f-a165-70867728950e.part';
    await writeFile(join(directory, left), 'half');
    house = await TestHouse.open({ store: { kind: 'directory', path: directory } });
    expect(await readdir(directory)).not.toContain(left);
  });

  it('removes the copy, too, when its client goes in the middle', async () => {
    await house.ask('POST', A, { body: sampleState(1, { size: 40_000_000 }) });
    const leaving = new AbortController();
    const answer = house
      .ask('POST', '/api/v1/backup', { signal: leaving.signal })
      .catch((fault: unknown) => String(fault));
    await expect
      .poll(async () => (await readdir(directory)).some((name) => name.endsWith('.part')))
      .toBe(true);
    leaving.abort();
    expect(await answer).toContain('abort');
    await expect
      .poll(async () => (await readdir(directory)).filter((name) => name.startsWith('backup-')), {
        timeout: 20_000,
      })
      .toEqual([]);
  });
});

/** Has an index lack what its table has, as a page that a disk has changed does. */
async function breakIndex(path: string): Promise<void> {
  const db = openDatabase(path);
  const row = db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'address_again'").get();
  const { rootpage } = row as { rootpage: number };
  db.close();
  const file = await open(path, 'r+');
  // The number of cells on the page (sqlite.org/fileformat2.html).
  await file.write(Buffer.alloc(2), 0, 2, (rootpage - 1) * PAGE_BYTES + 3);
  await file.close();
}
