import { chmod, mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openForReading } from '../../src/engines/sqlite/connection.ts';
import { HouseProcess } from '../support/house-process.ts';
import { eventually } from '../support/eventually.ts';
import { TestHouse } from '../support/open-test-house.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { ask } from '../support/request.ts';
import { RunningProgram } from '../support/running-program.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { TEST_ADMIN } from '../support/test-admin.ts';
import { runStatehouse } from './run-statehouse.ts';

const MAIN = fileURLToPath(new URL('../../dist/program/cli.main.cjs', import.meta.url));
const programs = await findPostgres();
const NEWEST = sampleState(2, { said: 'newest' });
const OLD = sampleState(1, { said: 'old' });
let directory = '';
let data = '';
let house: HouseProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'statehouse-keeping-'));
  data = join(directory, 'data');
  house = await HouseProcess.start({ directory: data });
  for (const body of [OLD, NEWEST])
    expect((await ask(house.url, 'POST', '/http/app/net', { body })).status).toBe(200);
});

afterEach(async () => {
  await house[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

function run(...words: readonly string[]) {
  const credential = `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`;
  return runStatehouse(words, {
    cwd: directory,
    env: { STATEHOUSE_SERVER: house.url, STATEHOUSE_CREDENTIAL: credential },
  });
}

describe('rotate-key --reencrypt', () => {
  it('encrypts every state again, killed in the middle and run again, and then needs the new key alone', async () => {
    const count = 100;
    for (let at = 0; at < count; at += 1)
      expect((await ask(house.url, 'POST', `/http/app/s${at}`, { body: sampleState(at + 1) })).status).toBe(
        200,
      );
    const before = await readFile(join(data, 'master.key'), 'utf8');
    const first = run('rotate-key', '--reencrypt', '--json');
    // Somebody goes on writing.
    expect((await ask(house.url, 'POST', '/http/app/net', { body: sampleState(3) })).status).toBe(200);
    const keyFile = (): Promise<string> => readFile(join(data, 'master.key'), 'utf8');
    await eventually('a new key', async () => (await keyFile()).trim() !== before.trim());
    await house.kill();
    await first;
    await house.launch();
    const second = await run('rotate-key', '--reencrypt', '--json');
    expect(second).toMatchObject({ code: 0 });
    const { keyId, states, damaged } = JSON.parse(second.out) as Record<string, unknown>;
    expect(damaged).toBe(0);
    expect(states).toBeGreaterThanOrEqual(0);
    const after = (await readFile(join(data, 'master.key'), 'utf8')).trim();
    expect(after.split(/[\s,]+/)).toHaveLength(1);
    expect(after).not.toContain(before.trim());
    await house.stop();
    const db = openForReading(join(data, 'statehouse.db'));
    const left = db.prepare('SELECT count(*) AS count FROM body WHERE made_under IS NOT ? OR key_id <> ?');
    expect(left.get(keyId as string, keyId as string)).toEqual({ count: 0 });
    db.close();
    await house.launch();
    for (const at of [0, 50, count - 1])
      expect((await ask(house.url, 'GET', `/http/app/s${at}`)).text).toBe(sampleState(at + 1));
    expect((await ask(house.url, 'GET', '/http/app/net')).text).toBe(sampleState(3));
    await house.stop();
    const offline = await run('rotate-key', '--reencrypt', `--data=${data}`);
    expect(offline).toMatchObject({
      code: 0,
      out: expect.stringContaining(`${count + 3} versions of states`),
    });
    await house.launch();
    expect((await ask(house.url, 'GET', '/http/app/s7')).text).toBe(sampleState(8));
  }, 60_000);
});

describe('decrypt', () => {
  it('gives the very bytes while the house runs, after it was killed, and out of a deleted state', async () => {
    expect(await run('decrypt', 'app/net', `--data=${data}`)).toEqual({ code: 0, out: NEWEST, err: '' });
    await ask(house.url, 'DELETE', '/http/app/net');
    await house.kill();
    expect((await run('decrypt', 'app/net', `--data=${data}`)).out).toBe(NEWEST);
    expect((await run('decrypt', 'app/net', `--data=${data}`, '--version=1')).out).toBe(OLD);
    // Whatever it read, the house finds everything as it was.
    await house.launch();
    const credential = await ask(house.url, 'GET', '/api/v1/state/versions?address=app/net');
    expect(JSON.parse(credential.text)).toMatchObject({ versions: [{ version: 2 }, { version: 1 }] });
  });

  it('writes into a new file that only its owner may read', async () => {
    const out = join(directory, 'out.tfstate');
    const wrote = await run('decrypt', 'app/net', `--data=${data}`, `--out=${out}`, '--json');
    expect(JSON.parse(wrote.out)).toMatchObject({ file: out, version: 2, serial: '2' });
    expect(await readFile(out, 'utf8')).toBe(NEWEST);
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const again = await run('decrypt', 'app/net', `--data=${data}`, `--out=${out}`);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('exists already') });
  });

  it.skipIf(process.getuid?.() === 0)(
    'reads where nothing may be written (skipped for root, who may write everywhere)',
    async () => {
      await house.stop();
      await chmod(data, 0o500);
      const read = await run('decrypt', 'app/net', `--data=${data}`);
      await chmod(data, 0o700);
      expect(read).toEqual({ code: 0, out: NEWEST, err: '' });
    },
  );

  it('works beside damage elsewhere', async () => {
    const other = sampleState(1, { size: 400_000 });
    expect((await ask(house.url, 'POST', '/http/app/zebra', { body: other })).status).toBe(200);
    await house.stop();
    const path = join(data, 'statehouse.db');
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(4_096, 0x5a), 0, 4_096, size - 2 * 4_096);
    await file.close();
    const damaged = await run('decrypt', 'app/zebra', `--data=${data}`);
    expect(damaged.code).toBe(1);
    expect(damaged.out).not.toBe(other);
    expect((await run('decrypt', 'app/net', `--data=${data}`)).out).toBe(NEWEST);
  });

  it('says what is missing', async () => {
    const wrong = Buffer.alloc(32, 1).toString('base64');
    const refusals: readonly (readonly [words: readonly string[], code: number, says: string])[] = [
      [['app/none', `--data=${data}`], 1, 'there is no state at app/none'],
      [['app/net', `--data=${data}`, '--version=9'], 1, 'there is no version 9 at app/net'],
      [['app/net', `--data=${data}`, '--version=0'], 2, 'invalid version "0"'],
      [['app/net', `--data=${data}/nowhere`], 1, 'Name the data directory'],
      [['app/net', `--data=${directory}`], 1, 'there is no database in'],
      [['app/net', `--data=${data}`, `--master-key=${wrong}`], 1, 'the master key does not match this data'],
      [['app/net', `--data=${data}`, '--json'], 2, '--out FILE'],
    ];
    for (const [words, code, says] of refusals) {
      const { err, ...rest } = await run('decrypt', ...words);
      expect({ ...rest, err }).toEqual({ code, out: '', err: expect.stringContaining(says) as string });
      expect(err).not.toContain(wrong);
    }
  });
});

describe('backup and restore-backup', () => {
  it('bring a house back elsewhere, with its master key', async () => {
    const copies = [join(directory, 'asked.db'), join(directory, 'read.db')] as const;
    expect(await run('backup', copies[0])).toMatchObject({
      code: 0,
      err: expect.stringContaining('master key'),
    });
    expect((await run('backup', copies[1], '--data', data)).code).toBe(0);
    expect(await run('backup', copies[0])).toMatchObject({
      code: 1,
      err: expect.stringContaining('exists already'),
    });
    await house.stop();
    const key = join(data, 'master.key');
    for (const [index, copy] of copies.entries()) {
      expect((await stat(copy)).mode & 0o777).toBe(0o600);
      const from = await run('decrypt', 'app/net', `--data=${copy}`, `--master-key-file=${key}`);
      expect(from.out).toBe(NEWEST);
      const restored = join(directory, `restored-${index}`);
      const made = await run(
        'restore-backup',
        copy,
        `--data=${restored}`,
        `--master-key-file=${key}`,
        '--json',
      );
      expect(JSON.parse(made.out)).toEqual({ data: restored, masterKey: join(restored, 'master.key') });
      await using again = await HouseProcess.start({ directory: restored });
      expect((await ask(again.url, 'GET', '/http/app/net')).text).toBe(NEWEST);
    }
    expect((await run('decrypt', 'app/net', `--data=${copies[0]}`)).err).toContain(
      'does not contain the master key',
    );
  });

  it('leave alone what is there, and make nothing under a wrong key or out of damage', async () => {
    const copy = join(directory, 'house.db');
    const elsewhere = join(directory, 'elsewhere');
    await run('backup', copy);
    expect((await run('restore-backup', copy, `--data=${data}`)).err).toContain('has a database already');
    const strange = join(directory, 'strange.key');
    const file = await open(strange, 'w', 0o600);
    await file.write(Buffer.alloc(32, 1).toString('base64'));
    await file.close();
    const wrong = await run('restore-backup', copy, `--data=${elsewhere}`, `--master-key-file=${strange}`);
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('does not match this data') });
    await expect(stat(elsewhere)).rejects.toThrow('ENOENT');
    expect((await run('restore-backup', `${copy}.none`, `--data=${elsewhere}`)).code).toBe(1);
    const keyless = await run('restore-backup', copy, `--data=${elsewhere}`);
    expect(keyless).toMatchObject({ code: 0, err: expect.stringContaining('Copy the master key') });
  });
});

describe('rotate-key', () => {
  it('changes the key of a running house and of one that is down, and everything still opens', async () => {
    const keys = [await readFile(join(data, 'master.key'), 'utf8')];
    expect((await run('rotate-key')).out).toMatch(/^All data is under master key [0-9a-f]{8} now/);
    keys.push(await readFile(join(data, 'master.key'), 'utf8'));
    expect((await run('rotate-key', '--data', data)).err).toContain('in use by another process');
    await house.stop();
    const { code, out } = await run('rotate-key', '--data', data, '--json');
    expect({ code, rotation: JSON.parse(out) as unknown }).toMatchObject({
      code: 0,
      rotation: { newKey: true },
    });
    keys.push(await readFile(join(data, 'master.key'), 'utf8'));
    expect(new Set(keys).size).toBe(3);
    expect((await run('decrypt', 'app/net', `--data=${data}`, '--version=1')).out).toBe(OLD);
    const [first = ''] = keys;
    const former = await run('decrypt', 'app/net', `--data=${data}`, `--master-key=${first.trim()}`);
    expect(former.err).toContain('does not match this data');
    await house.launch();
    expect((await ask(house.url, 'GET', '/http/app/net')).text).toBe(NEWEST);
  });

  it('makes no house where there is none', async () => {
    expect((await run('rotate-key', '--data', directory)).err).toContain('there is no database');
    await expect(stat(join(directory, 'master.key'))).rejects.toThrow('ENOENT');
  });
});

describe('locks --watch', () => {
  it('comes back after the house did, and shows what it missed', async () => {
    const watching = new RunningProgram(process.execPath, [MAIN, 'locks', '--watch', '--json'], {
      cwd: directory,
      env: {
        ...process.env,
        STATEHOUSE_SERVER: house.url,
        STATEHOUSE_CREDENTIAL: `${TEST_ADMIN.id}.${TEST_ADMIN.secret}`,
      },
    });
    const until = (lines: number): Promise<unknown> =>
      eventually(`${lines} changes are seen`, () => watching.stdout.split('\n').length > lines);
    await until(1);
    await house.kill();
    await house.launch();
    await ask(house.url, 'LOCK', '/http/app/net', { body: sampleLock('missed') });
    await until(2);
    expect(watching.stdout).toContain('"lockId":"missed"');
    watching.signal('SIGINT');
    expect((await watching.end).code).toBe(0);
  });
});

describe.skipIf(programs === null)('PostgreSQL (skipped unless postgres is on PATH)', () => {
  it('is read by decrypt without a node', async () => {
    await using server = await PostgresServer.start(programs!);
    const url = server.url(await server.createDatabase());
    const key = Buffer.alloc(32, 7).toString('base64');
    const node = await TestHouse.open({ store: { kind: 'postgres', url }, masterKeys: key });
    expect((await node.ask('POST', '/http/app/net', { body: OLD })).status).toBe(200);
    await node.close();
    const read = (...more: readonly string[]) => run('decrypt', 'app/net', `--database=${url}`, ...more);
    expect((await read(`--master-key=${key}`)).out).toBe(OLD);
    expect(await read()).toMatchObject({ code: 1, err: expect.stringContaining('--master-key-file') });
  });
});
