import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateClient } from '../../src/ports/state-client.ts';
import { openClient } from '../../src/protocols/backends.ts';
import { makeLockRequest } from '../../src/protocols/lock-request.ts';
import { readConnection } from '../../src/protocols/pg/client/config.ts';
import { tofuCreationLock } from '../../src/protocols/pg/layout.ts';
import { stateText } from '../../src/contract/client-contract.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';

const AT_ONCE = { milliseconds: 0, signal: null };

describe('pg connection strings', () => {
  it('are read as lib/pq reads them', () => {
    expect(readConnection('postgres://u:p%40ss@db.example:6432/states?sslmode=disable', {})).toMatchObject({
      host: 'db.example',
      port: 6432,
      user: 'u',
      password: 'p@ss',
      database: 'states',
      ssl: false,
    });
    expect(readConnection("host=/run/pg user='my user' password='it\\'s' dbname=x", {})).toMatchObject({
      host: '/run/pg',
      user: 'my user',
      password: "it's",
      database: 'x',
      ssl: false,
    });
    expect(
      readConnection('', { PGHOST: 'h', PGUSER: 'u', PGPORT: '1', PGSSLMODE: 'verify-full' }),
    ).toMatchObject({
      host: 'h',
      port: 1,
      database: 'u',
      ssl: { rejectUnauthorized: true },
    });
    expect(readConnection('postgres://u@h/d', {}).ssl).toMatchObject({ rejectUnauthorized: false });
  });

  it('never appear in what is said about them', () => {
    for (const bad of [
      'postgres://u:secret@h:port/d',
      'host=h secret',
      'postgres://u:secret@h/d?sslmode=odd',
    ]) {
      let said = '';
      try {
        readConnection(bad, {});
      } catch (fault) {
        said = String(fault);
      }
      expect(said).toContain('connection string is not valid');
      expect(said).not.toContain('secret');
    }
  });

  it('name the creation lock of OpenTofu', () => {
    // FNV-1 of "terraform_remote_state\0states", negative.
    expect(tofuCreationLock('terraform_remote_state', 'states')).toBe(-3_797_183_428n);
  });
});

const programs = await findPostgres();
describe.skipIf(programs === null)('states in PostgreSQL (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  let url: URL;
  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
    url = new URL(server.url(await server.createDatabase()));
    url.searchParams.set('sslmode', 'disable');
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  const open = (attributes: Record<string, string> = {}): Promise<StateClient> =>
    openClient({ type: 'pg', attributes: { conn_str: url.href, ...attributes }, folder: '/', env: {} });

  it('say that a schema or a database is missing, and that nobody answers', async () => {
    const none = await open({ schema_name: 'nowhere' });
    await expect(none.read('default')).rejects.toMatchObject({ kind: 'missing' });
    await none.close();
    const other = new URL(url);
    other.pathname = '/no_such_database';
    const lost = await open({ conn_str: other.href });
    await expect(lost.read('default')).rejects.toMatchObject({ kind: 'missing' });
    await lost.close();
    const dead = await open({ conn_str: 'postgres://u:secret@127.0.0.1:1/d?sslmode=disable' });
    await expect(dead.read('default')).rejects.toThrow(/^PostgreSQL does not answer at 127\.0\.0\.1:1/);
    await dead.close();
  });

  it('tell who lost the lock with the connection, and free it', async () => {
    const [a, b] = [await open(), await open()];
    const workspace = `w-${randomUUID().slice(0, 8)}`;
    await a.createWorkspace(workspace, makeLockRequest('init', '0'));
    const attempt = await a.lock(workspace, makeLockRequest('test', '0'), AT_ONCE);
    if (attempt.type !== 'locked') throw new Error('not locked');
    const lost = once(attempt.lock.lost, 'abort');
    const held = await b.inspectLock(workspace);
    expect(held).toMatchObject({ type: 'held', holder: null });
    const pid = /database session (\d+)/.exec(held.type === 'held' ? held.note : '')?.[1] ?? '';
    expect((await b.breakLock(workspace, randomUUID())).type).toBe('impossible');
    expect((await b.breakLock(workspace, pid)).type).toBe('broken');
    await lost;
    expect((await attempt.lock.release()).type).toBe('lost');
    await a.close();
    const again = await b.lock(workspace, makeLockRequest('test', '0'), AT_ONCE);
    expect(again.type).toBe('locked');
    await b.close();
  });

  it('keep two first applies apart, whichever tool makes them', async () => {
    const [a, b] = [await open({ schema_name: 'fresh' }), await open({ schema_name: 'fresh' })];
    const attempt = await a.lock('default', makeLockRequest('test', '0'), AT_ONCE);
    expect(attempt.type).toBe('locked');
    expect(await b.lock('default', makeLockRequest('test', '0'), AT_ONCE)).toMatchObject({ type: 'held' });
    await a.write('default', stateText(1, 'l'), null);
    expect(await b.lock('default', makeLockRequest('test', '0'), AT_ONCE)).toMatchObject({ type: 'held' });
    if (attempt.type === 'locked') await attempt.lock.release();
    expect((await b.lock('default', makeLockRequest('test', '0'), AT_ONCE)).type).toBe('locked');
    await a.close();
    await b.close();
  });
});
