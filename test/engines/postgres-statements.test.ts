import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockOf, unlockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { parsePostgresUrl } from '../../src/engines/postgres/session/options.ts';
import { PostgresProxy } from '../support/postgres-proxy.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';

const programs = await findPostgres();
const ADDRESS = { project: 'acme', key: 'net', workspace: 'default' };

describe.skipIf(programs === null)('statements (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;
  let proxy: PostgresProxy;
  let url: string;
  let engine: PostgresEngine;

  const open = (at: string): Promise<PostgresEngine> =>
    PostgresEngine.open(parsePostgresUrl(at), { keyIdOf: () => 'k' });

  beforeAll(async () => {
    server = await PostgresServer.start(programs!);
    proxy = await PostgresProxy.start(server.port);
    const database = await server.createDatabase();
    url = server.url(database);
    engine = await open(server.url(database, proxy.port));
    // The first transaction of a node does more, and the plan of a statement may be made anew until it has run some times.
    for (let serial = 1n; serial <= 8n; serial += 1n) {
      await engine.apply([lockOf(ADDRESS, `warm-${serial}`)]);
      await engine.apply([writeOf(ADDRESS, serial, { claim: { kind: 'named', lockId: `warm-${serial}` } })]);
      await engine.apply([unlockOf(ADDRESS, `warm-${serial}`)]);
    }
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  /** What some work asks of the server: the engine and the proxy share one thread, so that a trip is never seen as two. */
  async function costOf(work: () => Promise<unknown>): Promise<{ statements: number; trips: number }> {
    const cost = { statements: 0, trips: 0 };
    let answered = true;
    proxy.judge = ({ direction, type }) => {
      if (direction === 'to-client') {
        answered = true;
        return 'pass';
      }
      if (type === 'E' || type === 'Q') cost.statements += 1;
      if (answered) cost.trips += 1;
      answered = false;
      return 'pass';
    };
    await work();
    proxy.judge = () => 'pass';
    return cost;
  }

  it('of a lock, a write, an unlock and a read are few, and go in two trips at the most', async () => {
    const costs = [
      await costOf(() => engine.apply([lockOf(ADDRESS, 'a')])),
      await costOf(() => engine.apply([writeOf(ADDRESS, 9n, { claim: { kind: 'named', lockId: 'a' } })])),
      await costOf(() => engine.apply([unlockOf(ADDRESS, 'a')])),
      await costOf(async () => {
        const version = await engine.version(ADDRESS, null);
        await engine.body(version!.bodyId);
      }),
      await costOf(() => engine.world(ADDRESS)),
    ];
    expect(costs).toEqual([
      { statements: 4, trips: 2 },
      { statements: 5, trips: 2 },
      { statements: 4, trips: 2 },
      { statements: 2, trips: 2 },
      { statements: 1, trips: 1 },
    ]);
  });

  it('of many commands are as many as of one', async () => {
    const addresses = Array.from({ length: 20 }, (_, at) => ({ ...ADDRESS, key: `many-${at}` }));
    await engine.apply(addresses.map((address) => lockOf(address, 'a')));
    await engine.apply(addresses.map((address) => unlockOf(address, 'a')));
    const cost = await costOf(() => engine.apply(addresses.map((address) => lockOf(address, 'b'))));
    expect(cost).toEqual({ statements: 4, trips: 2 });
  });

  it('see what another node has decided while they waited for its lock', async () => {
    const other = await open(url);
    const somebody = new Client({ connectionString: url });
    await somebody.connect();
    for (let round = 0; round < 4; round += 1) {
      const address = { ...ADDRESS, key: `contended-${round}` };
      await engine.apply([writeOf(address, 1n)]);
      await somebody.query('BEGIN; SELECT FROM statehouse.address FOR UPDATE');
      const claims = [engine, other].map((one, at) => one.apply([lockOf(address, `lock-${at}`)]));
      await waitingFor(somebody, 2);
      await somebody.query('COMMIT');
      const outcomes = (await Promise.all(claims)).map(([result]) => result?.outcome.type);
      expect(outcomes.toSorted()).toEqual(['granted', 'held']);
      const { holders } = await engine.world(address);
      expect(holders.map(({ lockId }) => lockId)).toEqual([`lock-${outcomes.indexOf('granted')}`]);
    }
    await somebody.end();
    await other[Symbol.asyncDispose]();
  });

  async function waitingFor(client: Client, count: number): Promise<void> {
    for (;;) {
      const { rows } = await client.query<{ waiting: number }>(
        'SELECT count(DISTINCT pid)::int AS waiting FROM pg_locks WHERE NOT granted',
      );
      if (rows[0]?.waiting === count) return;
    }
  }
});
