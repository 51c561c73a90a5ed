import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RowKeys } from '../../src/engines/row-keys.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';
import type { TestHouse } from '../support/open-test-house.ts';
import { sampleLock, sampleState } from '../support/sample-state.ts';
import type { Pair } from '../support/test-admin.ts';
import { inDatabase, inDirectory, openOn, type StoredHouse } from './stored-house.ts';

const programs = await findPostgres();
const SECRET = 'of-production';
const CHANGED =
  /was changed in the database by something else than this server|the database is damaged \(version \d+ of a state is missing\)/;

describe('what is stored in SQLite', () => detects(inDirectory));

describe.skipIf(programs === null)(
  'what is stored in PostgreSQL (skipped unless postgres is on PATH)',
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await PostgresServer.start(programs!);
    });
    afterAll(() => server[Symbol.asyncDispose]());
    detects(() => inDatabase(server));
  },
);

/** A house with two states, one of them locked, and a reader of one alone. */
async function filled(stored: StoredHouse): Promise<{ reader: Pair; revoked: Pair }> {
  await using house = await openOn(stored);
  const put = async (key: string, serial: number, said: string, lock = ''): Promise<number> =>
    (await house.ask('POST', `/http/acme/${key}${lock}`, { body: sampleState(serial, { said }) })).status;
  expect(await put('prod', 1, 'old')).toBe(200);
  expect(await put('prod', 2, SECRET)).toBe(200);
  expect(await put('prod', 3, SECRET)).toBe(200);
  expect(await put('sandbox', 1, 'harmless')).toBe(200);
  expect((await house.ask('LOCK', '/http/acme/held', { body: sampleLock('one') })).status).toBe(200);
  const reader = await house.credential('reader', [{ role: 'reader', pattern: 'acme/sandbox' }]);
  const revoked = await house.credential('revoked', [{ role: 'writer', pattern: 'acme/*' }]);
  return { reader, revoked };
}

function detects(open: () => Promise<StoredHouse>): void {
  /** What a house answers that is opened on what an attack has left; the fault with which it does not open. */
  async function after(
    attack: (stored: StoredHouse, pairs: { reader: Pair; revoked: Pair }) => Promise<unknown>,
    look: (house: TestHouse, pairs: { reader: Pair; revoked: Pair }) => Promise<unknown>,
  ): Promise<unknown> {
    await using stored = await open();
    const pairs = await filled(stored);
    await attack(stored, pairs);
    const house = await openOn(stored).catch((fault: unknown) => fault as Error);
    if (house instanceof Error) return house.message;
    try {
      return await look(house, pairs);
    } catch (fault) {
      return (fault as Error).message;
    } finally {
      await house.close();
    }
  }

  const read =
    (key: string) =>
    async (house: TestHouse): Promise<unknown> => {
      const { status, text } = await house.ask('GET', `/http/acme/${key}`);
      expect(text).not.toContain(SECRET);
      if (status < 500) return { status, text };
      // What the client is told names no row; what the operator reads does.
      const address = { project: 'acme', key, workspace: 'default' };
      return house.engine.world(address);
    };

  it('is read as it was written', async () => {
    const said = await after(
      async () => undefined,
      async (house) => (await house.ask('GET', '/http/acme/prod')).text,
    );
    expect(said).toContain(SECRET);
  });

  it('does not pass with the count of what a project keeps made smaller', async () => {
    const said = await after(
      (stored) => stored.sql("UPDATE usage SET states = 0 WHERE project = 'acme'"),
      (house) => house.engine.usage('acme'),
    );
    expect(said).toMatch(CHANGED);
  });

  it('counts anew what a project keeps where all counts were taken away', async () => {
    const said = await after(
      (stored) => stored.sql('DELETE FROM usage'),
      (house) => house.engine.usage('acme'),
    );
    expect(said).toMatchObject({ states: 2, versions: 4 });
  });

  it.each<[string, string, (stored: StoredHouse) => Promise<unknown>]>([
    [
      'the body of another state put in the place of its own',
      'sandbox',
      (stored) =>
        stored.sql(
          `UPDATE version SET body_id = (SELECT body_id FROM version WHERE number = 3 AND ${stored.at('prod')}) WHERE ${stored.at('sandbox')}`,
        ),
    ],
    [
      'an older version made the newest',
      'prod',
      (stored) => stored.sql("UPDATE address SET head = 1 WHERE key = 'prod'"),
    ],
    [
      'a digest edited',
      'sandbox',
      (stored) => stored.sql(`UPDATE version SET facts = substr(facts, 2) WHERE ${stored.at('sandbox')}`),
    ],
    [
      'the newest version taken away',
      'prod',
      (stored) => stored.sql(`DELETE FROM version WHERE number = 3 AND ${stored.at('prod')}`),
    ],
    [
      'the holder of the lock taken away',
      'held',
      (stored) => stored.sql(`DELETE FROM holder WHERE ${stored.at('held')}`),
    ],
    [
      'another made the holder of the lock',
      'held',
      (stored) => stored.sql(`UPDATE holder SET subject = 'token:mallory' WHERE ${stored.at('held')}`),
    ],
    [
      'a state deleted without the server',
      'prod',
      (stored) => stored.sql("UPDATE address SET deleted_at = 1 WHERE key = 'prod'"),
    ],
    [
      'a state given the name of another',
      'prod',
      async (stored) => {
        await stored.sql("UPDATE address SET key = 'gone' WHERE key = 'prod'");
        await stored.sql("UPDATE address SET key = 'prod' WHERE key = 'sandbox'");
      },
    ],
  ])('does not pass with %s', async (_, key, attack) => {
    expect(await after(attack, read(key))).toMatch(CHANGED);
  });

  it('does not pass with an older copy of the record of a state', async () => {
    await using stored = await open();
    await filled(stored);
    const [older = {}] = await stored.sql("SELECT * FROM address WHERE key = 'sandbox'");
    const house = await openOn(stored);
    await house.ask('POST', '/http/acme/sandbox', { body: sampleState(2) });
    await house.close();
    const columns = Object.keys(older).filter(
      (name) => !['id', 'project', 'key', 'workspace', 'name'].includes(name),
    );
    const set = columns.map((name) => `${name} = ?`).join(', ');
    await stored.sql(
      `UPDATE address SET ${set} WHERE key = 'sandbox'`,
      ...columns.map((name) => older[name]),
    );
    await using again = await openOn(stored);
    expect((await again.ask('GET', '/http/acme/sandbox')).status).toBe(503);
    await expect(read('sandbox')(again)).rejects.toThrow(CHANGED);
  });

  it('does not pass with an old version taken away, when somebody asks for it or for the list', async () => {
    const address = { project: 'acme', key: 'prod', workspace: 'default' };
    const attack = (stored: StoredHouse): Promise<unknown> =>
      stored.sql(`DELETE FROM version WHERE number = 2 AND ${stored.at('prod')}`);
    expect(await after(attack, (house) => house.engine.version(address, 2))).toMatch(CHANGED);
    expect(await after(attack, (house) => house.engine.versions(address, { limit: 9 }))).toMatch(CHANGED);
    expect(await after(attack, async (house) => (await house.ask('GET', '/http/acme/prod')).status)).toBe(
      200,
    );
  });

  it.each<[string, (stored: StoredHouse, pairs: { reader: Pair; revoked: Pair }) => Promise<unknown>]>([
    [
      'with more rights than it was given',
      (stored, { reader }) =>
        stored.sql(
          `UPDATE credential SET grants = '[{"role":"admin","pattern":"*"}]' WHERE id = ?`,
          reader.id,
        ),
    ],
    [
      'with another end',
      (stored, { reader }) => stored.sql('UPDATE credential SET expires_at = 9 WHERE id = ?', reader.id),
    ],
    [
      'that was put back as it was before it was revoked',
      async (stored, { revoked }) => {
        const [older = {}] = await stored.sql('SELECT * FROM credential WHERE id = ?', revoked.id);
        const house = await openOn(stored);
        await house.ask('DELETE', `/api/v1/credentials/${revoked.id}`);
        await house.close();
        await stored.sql(
          'UPDATE credential SET revoked_at = ?, mac = ? WHERE id = ?',
          older['revoked_at'],
          older['mac'],
          revoked.id,
        );
      },
    ],
    [
      'that is not there any more',
      (stored, { reader }) => stored.sql('DELETE FROM credential WHERE id = ?', reader.id),
    ],
  ])('does not open with a credential %s', async (_, attack) => {
    expect(await after(attack, async () => 'it opened')).toMatch(CHANGED);
  });

  it('opens with the credentials that are left once the dead ones are forgotten', async () => {
    await using stored = await open();
    const { revoked } = await filled(stored);
    const house = await openOn(stored, { deadCredentialsKept: 0 });
    expect((await house.ask('DELETE', `/api/v1/credentials/${revoked.id}`)).status).toBe(200);
    await vi.waitFor(async () => {
      await house.house.credentials.prune();
      expect(await namesIn(house)).toEqual([expect.stringMatching(/^admin-/), 'reader']);
    });
    await house.close();
    await using again = await openOn(stored);
    expect(await namesIn(again)).toEqual([expect.stringMatching(/^admin-/), 'reader']);
  });

  it('does not take a credential that was put back for its own because it changes another', async () => {
    await using stored = await open();
    const { revoked } = await filled(stored);
    const [older = {}] = await stored.sql('SELECT * FROM credential WHERE id = ?', revoked.id);
    const house = await openOn(stored);
    await house.ask('DELETE', `/api/v1/credentials/${revoked.id}`);
    await stored.sql(
      'UPDATE credential SET revoked_at = ?, mac = ? WHERE id = ?',
      older['revoked_at'],
      older['mac'],
      revoked.id,
    );
    const credential = { id: 'CREDENTIALOFOTHER', name: 'other', grants: [], createdAt: 1 } as const;
    const put = { ...credential, sealedSecret: Buffer.from('-'), expiresAt: null, revokedAt: null };
    await expect(
      house.engine.apply([{ type: 'put-credential', credential: put, note: null }]),
    ).rejects.toThrow(CHANGED);
    await house.close().catch(() => undefined);
    await expect(openOn(stored)).rejects.toThrow(CHANGED);
  });

  it('refuses raised rights within two seconds where the server runs, too', async () => {
    await using stored = await open();
    const { reader } = await filled(stored);
    await using house = await openOn(stored);
    if (!house.engine.traits.shared) return;
    expect((await house.ask('GET', '/api/v1/whoami', { as: reader })).status).toBe(200);
    await stored.sql(`UPDATE credential SET grants = '[{"role":"admin","pattern":"*"}]'`);
    await vi.waitFor(
      async () => expect((await house.ask('GET', '/api/v1/credentials', { as: reader })).status).toBe(503),
      { timeout: 10_000, interval: 200 },
    );
  });

  it('does not open with an entry changed, and not without the key of its rows', async () => {
    const changed = (stored: StoredHouse): Promise<unknown> =>
      stored.sql(
        "INSERT INTO entry (kind, name, attributes) VALUES ('project', 'acme', '{\"keepVersions\":1}')",
      );
    expect(await after(changed, (house) => house.engine.entries('project'))).toMatch(CHANGED);
    expect(
      await after(
        (stored) => stored.sql('DELETE FROM house'),
        async () => 'it opened',
      ),
    ).toMatch(/not authenticated.*--adopt-unauthenticated/);
  });

  it('would pass if no code were checked, which shows that these attacks are real', async () => {
    const verify = vi.spyOn(RowKeys.prototype, 'verify').mockImplementation(() => undefined);
    try {
      const rights = await after(
        (stored, { reader }) =>
          stored.sql(
            `UPDATE credential SET grants = '[{"role":"admin","pattern":"*"}]' WHERE id = ?`,
            reader.id,
          ),
        async (house, { reader }) => (await house.ask('GET', '/api/v1/credentials', { as: reader })).status,
      );
      expect(rights).toBe(200);
      const rolledBack = await after(
        (stored) => stored.sql("UPDATE address SET head = 1 WHERE key = 'prod'"),
        async (house) => (await house.ask('GET', '/http/acme/prod')).text,
      );
      expect(rolledBack).toContain('"old"');
    } finally {
      verify.mockRestore();
    }
  });

  it('has no size and no digest of a state in the clear', async () => {
    await using stored = await open();
    await filled(stored);
    const rows = await stored.sql('SELECT * FROM version');
    expect(rows.length).toBe(4);
    const { createHash } = await import('node:crypto');
    const text = sampleState(3, { said: SECRET });
    const told = JSON.stringify(rows.map((row) => Object.values(row).map(String)));
    for (const name of ['sha256', 'md5'])
      expect(told).not.toContain(createHash(name).update(text).digest('hex'));
    expect(rows.every((row) => row['unsealed'] === null)).toBe(true);
  });
}

async function namesIn(house: TestHouse): Promise<readonly string[]> {
  return (await house.engine.credentials()).map(({ name }) => name).toSorted();
}
