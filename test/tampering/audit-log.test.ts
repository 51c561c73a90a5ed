import { rmSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Credential } from '../../src/core/credential.ts';
import type { Engine } from '../../src/ports/engine.ts';
import { openDatabase } from '../../src/engines/sqlite/files/driver.ts';
import { backUp } from '../../src/engines/sqlite/files/backup.ts';
import { restoreHouse } from '../../src/server/restore-house.ts';
import { verifyKept, type VerifiedHouse } from '../../src/server/verify-kept.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import { inDatabase, inDirectory, MASTER_KEY, openOn, type StoredHouse } from './stored-house.ts';

const programs = await findPostgres();
const CHANGED = /was changed in the database by something else than this server/;

describe('the audit log in SQLite', () => verifies(inDirectory));

describe.skipIf(programs === null)('the audit log in PostgreSQL (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  verifies(() => inDatabase(server));
});

/** Two states, each written twice, one of them under a lock; and a credential that is revoked. */
async function fill(stored: StoredHouse): Promise<void> {
  await using house = await openOn(stored);
  const at = (key: string): string => `/http/acme/${key}`;
  for (const serial of [1, 2]) {
    await house.ask('POST', at('one'), { body: sampleState(serial) });
    await house.ask('LOCK', at('two'), { body: sampleLock(`lock-${serial}`) });
    await house.ask('POST', `${at('two')}?ID=lock-${serial}`, { body: sampleState(serial) });
    await house.ask('UNLOCK', at('two'), { body: sampleLock(`lock-${serial}`) });
  }
  const { id } = await house.credential('ci', [{ role: 'reader', pattern: '*' }]);
  await house.ask('DELETE', `/api/v1/credentials/${id}`);
  expect((await house.ask('GET', at('one'))).status).toBe(200);
}

function verify(stored: StoredHouse, ...heads: readonly string[]): Promise<VerifiedHouse> {
  return verifyKept({ masterKeyFile: null, exposedSecrets: false, ...stored.configuration }, heads);
}

/** Where the audit log of a new house ends before it goes on. */
async function firstHead(stored: StoredHouse): Promise<string> {
  await using house = await openOn(stored);
  await house.ask('POST', '/http/acme/one', { body: sampleState(1) });
  const head = await house.engine.auditHead();
  await house.ask('POST', '/http/acme/one', { body: sampleState(2) });
  return head.split(' ')[0] ?? '';
}

/** Has so many of the oldest records forgotten. @returns how many were */
async function prune(stored: StoredHouse, limit: number): Promise<number> {
  await using house = await openOn(stored);
  const before = (await house.engine.now()) + 1;
  const [result] = await house.engine.apply([{ type: 'prune-audit', before, limit, note: null }]);
  return result?.outcome.type === 'audit-pruned' ? result.outcome.records : -1;
}

function verifies(open: () => Promise<StoredHouse>): void {
  it.each<[string, RegExp, (engine: Engine, credential: Credential) => Promise<unknown>]>([
    [
      'created',
      /the credential MALLORYMALLORY01 was created, and the log does not say so/,
      (engine, credential) => {
        const mallory = { ...credential, id: 'MALLORYMALLORY01', name: 'mallory' };
        return engine.apply([{ type: 'put-credential', credential: mallory, note: null }]);
      },
    ],
    [
      'given more grants',
      /has the grants "admin:\*", and was given "reader:\*"/,
      (engine, credential) => {
        const raised = { ...credential, grants: [{ role: 'admin', pattern: '*' }] } as const;
        return engine.apply([{ type: 'put-credential', credential: raised, note: null }]);
      },
    ],
    [
      'made valid again',
      /is valid, and the log says that it was revoked/,
      (engine, credential) =>
        engine.apply([
          { type: 'put-credential', credential: { ...credential, revokedAt: null }, note: null },
        ]),
    ],
    [
      'taken away',
      /was taken away, and the log does not say that it was forgotten/,
      (engine) =>
        engine.apply([
          { type: 'drop-credentials', revokedBefore: Number.MAX_SAFE_INTEGER, expiredBefore: 0, note: null },
        ]),
    ],
  ])('tells of a credential that somebody with the keys has %s', async (_, problem, attack) => {
    await using stored = await open();
    await fill(stored);
    await verify(stored);
    {
      await using house = await openOn(stored);
      const credential = (await house.engine.credentials()).find(({ name }) => name === 'ci');
      if (credential === undefined) throw new Error('it was not created');
      await attack(house.engine, credential);
    }
    await expect(verify(stored)).rejects.toThrow(problem);
  });

  it('is found whole where nobody else has written, again and again, and goes on from every former head', async () => {
    await using stored = await open();
    await fill(stored);
    const first = await verify(stored);
    expect(first).toMatchObject({ states: 2, versions: 4, credentials: 2 });
    await fill(stored);
    const second = await verify(stored, first.auditHead);
    expect(second.auditRecords).toBeGreaterThan(first.auditRecords);
    expect((await verify(stored, first.auditHead, second.auditHead)).auditHead).toBe(second.auditHead);
    await using house = await openOn(stored);
    await house.ask('POST', '/http/acme/one', { body: sampleState(9) });
    expect((await verify(stored, second.auditHead)).versions).toBe(5);
  });

  it('is found whole from where its oldest records were forgotten, and heads among these are told as such', async () => {
    await using stored = await open();
    const first = await firstHead(stored);
    await fill(stored);
    const { auditRecords: before } = await verify(stored, first);
    await fill(stored);
    const { auditHead: second } = await verify(stored, first);
    expect(await prune(stored, before)).toBe(before);
    expect(await verify(stored, first, second)).toMatchObject({ auditPruned: before, prunedHeads: [first] });
    await expect(verify(stored, `${second.slice(0, -4)}0000`)).rejects.toThrow(CHANGED);
    await expect(verify(stored, 'nonsense')).rejects.toThrow(CHANGED);
    await fill(stored);
    expect(await verify(stored, second)).toMatchObject({ auditPruned: before, prunedHeads: [] });
    const third = await verify(stored);
    await prune(stored, 100_000);
    expect(await verify(stored, third.auditHead)).toMatchObject({
      states: 2,
      auditRecords: expect.any(Number),
    });
    await using house = await openOn(stored);
    expect((await house.ask('POST', '/http/acme/one', { body: sampleState(9) })).status).toBe(200);
  });

  it.each([
    ['more of its oldest records taken away', 'DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)'],
    [
      'another of its oldest records',
      "UPDATE audit SET subject = 'token:bob' WHERE id = (SELECT min(id) FROM audit)",
    ],
  ])('tells %s once some were forgotten', async (_what, sql) => {
    await using stored = await open();
    await fill(stored);
    await prune(stored, 3);
    await stored.sql(sql);
    await expect(verify(stored)).rejects.toThrow(CHANGED);
    await expect(prune(stored, 3)).rejects.toThrow(CHANGED);
  });

  it('is not opened once it was emptied', async () => {
    await using stored = await open();
    await fill(stored);
    await stored.sql('DELETE FROM audit');
    await expect(openOn(stored)).rejects.toThrow(CHANGED);
  });

  it.each<[string, string]>([
    ['a record taken away', "DELETE FROM audit WHERE action = 'credential-revoke'"],
    [
      'another named as who did it',
      "UPDATE audit SET subject = 'token:bob' WHERE action = 'credential-revoke'",
    ],
    ['another time', "UPDATE audit SET at = at + 1 WHERE action = 'lock'"],
    ['its end cut off', 'DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)'],
    ['its end put back', 'UPDATE audit_head SET last = last - 1'],
  ])('is not found whole with %s', async (_, sql) => {
    await using stored = await open();
    await fill(stored);
    await stored.sql(sql);
    await expect(verify(stored)).rejects.toThrow(CHANGED);
  });

  it('tells of a state that was rolled back with all its rows, and of one that was taken away', async () => {
    await using stored = await open();
    await fill(stored);
    const [older = {}] = await stored.sql("SELECT * FROM address WHERE key = 'one'");
    await using house = await openOn(stored);
    await house.ask('POST', '/http/acme/one', { body: sampleState(3) });
    await house.close();
    await stored.sql(`DELETE FROM version WHERE number = 3 AND ${stored.at('one')}`);
    const names = Object.keys(older).filter(
      (name) => !['id', 'project', 'key', 'workspace', 'name'].includes(name),
    );
    const set = names.map((name) => `${name} = ?`).join(', ');
    await stored.sql(`UPDATE address SET ${set} WHERE key = 'one'`, ...names.map((name) => older[name]));
    await expect(verify(stored)).rejects.toThrow(/the record of acme one default was changed/);
    await stored.sql("DELETE FROM address WHERE key = 'one'");
    await expect(verify(stored)).rejects.toThrow(CHANGED);
  });
}

describe('a backup', () => {
  it('that was edited is not restored, nor opened; one that is only old is told by a former head', async () => {
    await using stored = await inDirectory();
    await fill(stored);
    const [backup, keyFile] = [join(stored.directory, 'backup.db'), join(stored.directory, 'key')];
    await backUp(stored.directory, backup);
    await writeFile(keyFile, MASTER_KEY, { mode: 0o600 });
    const target = `${stored.directory}-restored`;
    try {
      const edited = `${backup}-edited`;
      await cp(backup, edited);
      const db = openDatabase(edited);
      db.exec("UPDATE address SET head = 1 WHERE key = 'one'");
      db.close();
      const restore = (from: string, key: string | null): Promise<unknown> =>
        restoreHouse({ backup: from, directory: target, keyFile: key, exposedSecrets: false });
      await expect(restore(edited, keyFile)).rejects.toThrow(CHANGED);
      await fill(stored);
      const { auditHead } = await verify(stored);
      await restore(backup, keyFile);
      const restored = { ...stored.configuration, store: { kind: 'directory', path: target } as const };
      expect(
        (await verifyKept({ masterKeyFile: null, exposedSecrets: false, ...restored }, [])).versions,
      ).toBe(4);
      await expect(
        verifyKept({ masterKeyFile: null, exposedSecrets: false, ...restored }, [auditHead]),
      ).rejects.toThrow(CHANGED);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  });

  it('has nothing of a purged state in it, nor has the database', async () => {
    await using stored = await inDirectory();
    await using house = await openOn(stored);
    await house.ask('POST', '/http/acme/gone', { body: sampleState(1) });
    const [body = {}] = await stored.sql('SELECT hex(wrapped_key) AS key FROM body');
    const key = Buffer.from(body['key'] as string, 'hex');
    await house.ask('DELETE', '/http/acme/gone');
    expect((await house.ask('POST', '/api/v1/state/purge?address=acme/gone')).status).toBe(200);
    await house.close();
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(join(stored.directory, 'statehouse.db')).includes(key)).toBe(false);
  });
});
