import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changeRowKeyOffline } from '../../src/server/change-row-key.ts';
import { verifyKept, type VerifiedHouse } from '../../src/server/verify-kept.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { inDatabase, inDirectory, openOn, type StoredHouse } from './stored-house.ts';

const programs = await findPostgres();

describe('a new integrity key in SQLite', () => isTakenAsAWhole(inDirectory));

describe.skipIf(programs === null)(
  'a new integrity key in PostgreSQL (skipped unless postgres is on PATH)',
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await PostgresServer.start(programs!);
    });
    afterAll(() => server[Symbol.asyncDispose]());
    isTakenAsAWhole(() => inDatabase(server));
  },
);

/** Some of everything that has a code. @returns where the audit log ended at some times */
async function fill(stored: StoredHouse): Promise<string[]> {
  await using house = await openOn(stored);
  const heads: string[] = [];
  for (const serial of [1, 2, 3]) {
    await house.ask('POST', '/http/acme/net', { body: sampleState(serial) });
    heads.push(await house.engine.auditHead());
  }
  await house.ask('POST', '/http/acme/net', { body: sampleState(1, { said: 'late' }) });
  await house.ask('LOCK', '/http/acme/held', { body: sampleLock('one') });
  await house.ask('LOCK', '/http/acme/held', { body: sampleLock('two') });
  await house.ask('LOCK', '/http/acme/was', { body: sampleLock('three') });
  await house.ask('UNLOCK', '/http/acme/was', { body: sampleLock('three') });
  await house.credential('ci', [{ role: 'reader', pattern: '*' }]);
  await house.house.audit.flush();
  return heads.flatMap((head) => head.split(' '));
}

const kept = (stored: StoredHouse): Parameters<typeof changeRowKeyOffline>[0] => ({
  masterKeyFile: null,
  exposedSecrets: false,
  ...stored.configuration,
});

function verify(stored: StoredHouse, heads: readonly string[]): Promise<VerifiedHouse> {
  return verifyKept(kept(stored), heads);
}

/** The codes of rows of a table. */
async function codes(stored: StoredHouse, table: string): Promise<readonly string[]> {
  const rows = await stored.sql(`SELECT mac FROM ${table}`);
  return rows.map(({ mac }) => Buffer.from(mac as Uint8Array).toString('hex'));
}

/** Changes the key once the nodes that were closed are known to be gone, without the seconds that it takes to be sure. */
async function change(stored: StoredHouse): Promise<void> {
  if (stored.configuration.store.kind === 'postgres') await stored.sql('DELETE FROM node');
  await changeRowKeyOffline(kept(stored));
}

const TABLES = ['house', 'address', 'version', 'holder', 'place', 'release', 'credential', 'entry', 'audit'];

function isTakenAsAWhole(open: () => Promise<StoredHouse>): void {
  it('changes the code of every row, leaves what they say, and the log goes on from its former heads', async () => {
    await using stored = await open();
    const heads = await fill(stored);
    const before = await verify(stored, heads);
    const [copied] = await stored.sql("SELECT * FROM address WHERE key = 'net'");
    const former = new Map<string, ReadonlySet<string>>();
    for (const table of TABLES) former.set(table, new Set(await codes(stored, table)));

    await change(stored);
    for (const table of TABLES) {
      const now = await codes(stored, table);
      expect(now.length, table).toBeGreaterThan(0);
      expect(
        now.filter((code) => former.get(table)?.has(code)),
        table,
      ).toEqual([]);
    }
    const after = await verify(stored, [...heads, before.auditHead]);
    expect(after).toMatchObject({ states: before.states, versions: before.versions });
    expect(after.auditRecords).toBe(before.auditRecords + 1);

    // A second change keeps the heads of both keys.
    await change(stored);
    await verify(stored, [...heads, before.auditHead, after.auditHead]);
    await expect(verify(stored, [heads[0]!.replace(/..$/, 'zz')])).rejects.toThrow(/changed in the database/);

    await using house = await openOn(stored);
    expect((await house.ask('GET', '/http/acme/net')).status).toBe(200);
    expect((await house.ask('LOCK', '/http/acme/held', { body: sampleLock('four') })).status).toBe(423);
    expect((await house.ask('POST', '/http/acme/net', { body: sampleState(4) })).status).toBe(200);
    const records = await house.engine.audit({ limit: 100 });
    expect(records.some(({ note }) => note.action === 'rotate-key' && note.detail['rows'] === true)).toBe(
      true,
    );

    // What was authenticated with a former key is not believed.
    const mac = copied!['mac'] as Uint8Array;
    await stored.sql("UPDATE address SET mac = ? WHERE key = 'net'", mac);
    const read = house.engine.versions({ project: 'acme', key: 'net', workspace: 'default' }, { limit: 1 });
    await expect(read).rejects.toThrow(/changed in the database/);
  });

  it('can be forgotten up to a head of a former key', async () => {
    await using stored = await open();
    const heads = await fill(stored);
    await change(stored);
    {
      await using house = await openOn(stored);
      const before = (await house.engine.now()) + 1;
      await house.engine.apply([{ type: 'prune-audit', before, limit: 3, note: null }]);
    }
    const found = await verify(stored, heads);
    expect(found.auditPruned).toBe(3);
    await change(stored);
    expect((await verify(stored, heads)).auditPruned).toBe(3);
  });

  it.each([
    ['a record', "UPDATE address SET fence = 77 WHERE key = 'net'"],
    ['a version that was taken away', 'DELETE FROM version WHERE number = 1'],
    ['a credential that was taken away', "DELETE FROM credential WHERE name = 'ci'"],
    ['a lock that was taken away', 'DELETE FROM holder'],
    ['the audit log', "UPDATE audit SET subject = 'token:somebody' WHERE action = 'lock'"],
  ])('does not make right what somebody has changed: %s', async (_, attack) => {
    await using stored = await open();
    await fill(stored);
    await stored.sql(attack);
    const former = await codes(stored, 'version');
    await expect(change(stored)).rejects.toThrow(/changed in the database|damaged/);
    expect(await codes(stored, 'version')).toEqual(former);
  });

  it('waits for a server to be stopped', async () => {
    await using stored = await open();
    await using house = await openOn(stored);
    await house.ask('POST', '/http/acme/net', { body: sampleState(1) });
    await expect(changeRowKeyOffline(kept(stored))).rejects.toThrow(/in use by another|nodes of a server/);
    expect((await house.ask('GET', '/http/acme/net')).status).toBe(200);
  });
}
