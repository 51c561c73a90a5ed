import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { auditRows, insertAudit } from '../../src/engines/postgres/audit.ts';
import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { drawnUpTo } from '../../src/engines/postgres/session/drawing.ts';
import { parsePostgresUrl, type PostgresOptions } from '../../src/engines/postgres/session/options.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';

const programs = await findPostgres();
const ADDRESS = { project: 'acme', key: 'net', workspace: 'default' };
const LATE = { ...ADDRESS, key: 'late' };

describe('the id up to which all can be seen', () => {
  it.each([
    ['nobody draws', 500, [], 500],
    ['somebody draws who marked it then', 500, [480, 490], 480],
    ['somebody marked it at this very id', 500, [500], 500],
    ['somebody marked it since', 500, [510], 500],
    ['ids have more bits than marks', 2 ** 33 + 5, [2 ** 31 - 3, 9], 2 ** 33 - 3],
  ])('is told where %s', (_, newest, marks, expected) => {
    expect(drawnUpTo({ newest, marks })).toBe(expected);
  });
});

describe.skipIf(programs === null)('changes in PostgreSQL (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  let place: PostgresOptions;
  let engine: PostgresEngine;
  let slow: Client;

  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
  });
  afterAll(() => server[Symbol.asyncDispose]());
  beforeEach(async () => {
    place = parsePostgresUrl(server.url(await server.createDatabase()));
    engine = await PostgresEngine.open(place, { keyIdOf: () => 'k' });
    slow = new Client({ connectionString: place.url });
    await slow.connect();
  });
  afterEach(async () => {
    await slow.end();
    await engine[Symbol.asyncDispose]();
  });

  /** Draws an id as a transaction of an engine does, and leaves the transaction open. */
  async function drawSlowly(): Promise<void> {
    await slow.query('BEGIN');
    const note = { action: 'write', subject: 'token:slow', door: 'http', detail: {} };
    const rows = auditRows([{ at: 1, address: LATE, note, decided: true }]);
    for (const { text, values } of insertAudit(place.schema, rows)) {
      await slow.query(text, [...(values ?? [])]);
    }
  }

  const keys = async (after: number): Promise<string[]> =>
    (await engine.changes(after, 100)).records.map(({ address }) => address.key);

  it('skip no transaction that drew its id first and commits last', async () => {
    await engine.apply([writeOf(ADDRESS, 1n)]);
    const { position: before } = await engine.changes(null, 1);
    await drawSlowly();
    await engine.apply([writeOf(ADDRESS, 2n)]);
    expect(await engine.audit({ address: ADDRESS, limit: 9 })).toHaveLength(2);
    const meanwhile = await engine.changes(before, 100);
    expect(meanwhile).toEqual({ records: [], position: before });
    expect((await engine.changes(null, 1)).position).toBe(before);
    await slow.query('COMMIT');
    expect(await keys(meanwhile.position)).toEqual(['late', 'net']);
  });

  it('go on when such a transaction is rolled back, or its connection is lost', async () => {
    const { position: before } = await engine.changes(null, 1);
    await drawSlowly();
    await engine.apply([writeOf(ADDRESS, 1n)]);
    expect(await keys(before)).toEqual([]);
    await slow.query('ROLLBACK');
    expect(await keys(before)).toEqual(['net']);
  });

  it('wait for nobody, and let nobody wait', async () => {
    await drawSlowly();
    const began = performance.now();
    for (let serial = 1n; serial <= 5n; serial += 1n) await engine.apply([writeOf(ADDRESS, serial)]);
    await engine.apply([lockOf(ADDRESS, 'a')]);
    await engine.changes(0, 10);
    expect(performance.now() - began).toBeLessThan(2_000);
    await slow.query('COMMIT');
    expect(await keys(0)).toEqual(['late', ...Array<string>(6).fill('net')]);
  });

  it('of another schema of the same database hold nothing back', async () => {
    await drawSlowly();
    const other = { ...place, schema: 'other' };
    await using second = await PostgresEngine.open(other, { keyIdOf: () => 'k' });
    await second.apply([writeOf(ADDRESS, 1n)]);
    expect((await second.changes(0, 10)).records).toHaveLength(1);
    await slow.query('ROLLBACK');
  });
});
