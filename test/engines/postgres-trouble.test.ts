import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { PostgresEngine } from '../../src/engines/postgres/engine.ts';
import { parsePostgresUrl } from '../../src/engines/postgres/session/options.ts';
import { EngineFault, type Engine } from '../../src/ports/engine.ts';
import { lockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { PostgresProxy } from '../support/postgres-proxy.ts';
import { findPostgres, PostgresServer } from '../support/postgres-server.ts';

const programs = await findPostgres();
const ADDRESS = { project: 'acme', key: 'net/terraform.tfstate', workspace: 'default' };
const HOUR_MS = 3_600_000;

describe('a database URL', () => {
  it.each([
    ['mysql://x/y', /written postgres:/],
    ['no url', /written postgres:/],
    ['postgres://x/y?schema=Drop%20me', /schema/],
    ['postgres://x/y?pool=1', /2 to 100/],
    ['postgres://x/y?prepared=yes', /"on" or "off"/],
  ])('is refused where it cannot be meant: %s', (url, words) => {
    expect(() => parsePostgresUrl(url)).toThrow(words);
  });

  it('keeps what is meant for the driver', () => {
    expect(parsePostgresUrl('postgres://u@h/d?sslmode=verify-full&schema=other&pool=3')).toEqual({
      url: 'postgres://u@h/d?sslmode=verify-full',
      schema: 'other',
      poolSize: 3,
      prepares: true,
    });
  });
});

describe.skipIf(programs === null)('trouble with PostgreSQL (skipped unless postgres is on PATH)', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start(programs!, { password: 'right' });
  });
  afterAll(() => server[Symbol.asyncDispose]());
  afterEach(() => {
    vi.restoreAllMocks();
  });

  const open = (url: string): Promise<PostgresEngine> =>
    PostgresEngine.open(parsePostgresUrl(url), { keyIdOf: () => 'k' });
  const database = async (): Promise<string> => server.url(await server.createDatabase());
  const openFault = async (url: string): Promise<string> => {
    const fault = await open(url).then(
      () => null,
      (error: unknown) => error,
    );
    if (!(fault instanceof EngineFault)) throw new Error(`not refused as a fault: ${String(fault)}`);
    return fault.message;
  };
  const nobody = async (url: string): Promise<string> => {
    const away = new URL(url);
    away.port = '1';
    return away.href;
  };

  it('is told in words, and never with the password', async () => {
    const url = server.url();
    expect(await openFault(await nobody(url))).toMatch(/cannot be reached \(ECONNREFUSED\)/);
    expect(await openFault(url.replace(':right@', ':wrong@'))).toMatch(/refuses the password/);
    expect(await openFault(url.replace(':right@', ':wrong@'))).not.toMatch(/wrong/);
    expect(await openFault(server.url('no_such_database'))).toMatch(/no such database/);
    expect(await openFault(`${url}?sslmode=verify-full`)).toMatch(/TLS is not as the database URL asks/);
  });

  it('is told of a schema that a newer program has made, unless that says that it bears this one', async () => {
    const url = await database();
    await (await open(url))[Symbol.asyncDispose]();
    const name = new URL(url).pathname.slice(1);
    const future = (least: number): string =>
      `INSERT INTO statehouse.migration (number, name, least_program) VALUES (${900 + least}, 'later', ${least})`;
    await server.query(future(1), name);
    const engine = await open(url);
    await engine.check();
    await server.query(future(99), name);
    expect(await openFault(url)).toMatch(/used by a newer one/);
    await expect(engine.check()).rejects.toMatchObject({ fatal: true });
    await engine[Symbol.asyncDispose]();
  });

  it('does not come of nodes that start together, nor of tables of others', async () => {
    const url = await database();
    const name = new URL(url).pathname.slice(1);
    await server.query('CREATE TABLE public.address (mine int); INSERT INTO public.address VALUES (1)', name);
    const engines = await Promise.all(Array.from({ length: 5 }, () => open(url)));
    await Promise.all(
      engines.map((engine, at) => engine.apply([writeOf({ ...ADDRESS, key: `k${at}` }, 1n)])),
    );
    expect(await engines[0]!.states({ limit: 10 })).toHaveLength(5);
    expect(await server.query('SELECT * FROM public.address', name)).toEqual([{ mine: 1 }]);
    await Promise.all(engines.map((engine) => engine[Symbol.asyncDispose]()));
  });

  it('does not come of a user that has the rights that are documented, and no more', async () => {
    const document = await readFile(new URL('../../docs/many-nodes.md', import.meta.url), 'utf8');
    const grants = /```sql\n([\s\S]*?)```/.exec(document)?.[1] ?? '';
    const name = await server.createDatabase();
    await server.query(grants.replaceAll(' LOGIN', " LOGIN PASSWORD 'right'"), name);
    const as = (user: string): string => server.url(name).replace('//statehouse:', `//${user}:`);
    expect(await openFault(as('house'))).toMatch(/lacks a privilege/);
    await (await open(as('house_owner')))[Symbol.asyncDispose]();
    const engine = await open(as('house'));
    await engine.check();
    await engine.beat('node');
    await engine.apply([
      lockOf(ADDRESS, 'a'),
      writeOf(ADDRESS, 1n, { claim: { kind: 'named', lockId: 'a' } }),
    ]);
    expect(await engine.versions(ADDRESS, { limit: 9 })).toHaveLength(1);
    expect(await engine.audit({ limit: 9 })).toHaveLength(2);
    await engine[Symbol.asyncDispose]();
  });

  it('on the disk of the server refuses the write, and only for as long as it lasts', async () => {
    const url = await database();
    const name = new URL(url).pathname.slice(1);
    const engine = await open(url);
    await server.query(
      `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON statehouse.segment EXECUTE FUNCTION full_disk()`,
      name,
    );
    await expect(engine.apply([writeOf(ADDRESS, 1n)])).rejects.toThrow(/disk .* is full/);
    expect((await engine.world(ADDRESS)).record.head).toBeNull();
    await server.query('DROP TRIGGER full_disk ON statehouse.segment', name);
    const [result] = await engine.apply([writeOf(ADDRESS, 1n)]);
    expect(result?.outcome.type).toBe('stored');
    await engine[Symbol.asyncDispose]();
  });

  it('with the clock of a node changes nothing that is decided', async () => {
    const engine = await open(await database());
    const truth = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(truth + HOUR_MS);
    await engine.apply([lockOf(ADDRESS, 'a')]);
    const { holders } = await engine.world(ADDRESS);
    expect(Math.abs((holders[0]?.since ?? 0) - truth)).toBeLessThan(HOUR_MS / 2);
    await engine[Symbol.asyncDispose]();
  });

  it('with the clock of the server, set back, makes nothing earlier than what was before', async () => {
    let now = 2_000;
    const place = parsePostgresUrl(await database());
    const engine = await PostgresEngine.open(place, { keyIdOf: () => 'k', clock: () => `${now}::bigint` });
    await engine.apply([writeOf(ADDRESS, 1n)]);
    now = 1_000;
    await engine.apply([writeOf(ADDRESS, 2n)]);
    expect((await engine.versions(ADDRESS, { limit: 9 })).map(({ at }) => at)).toEqual([2_000, 2_000]);
    await engine[Symbol.asyncDispose]();
  });

  it('of one address, held by somebody for long, is answered as busy and holds up no other', async () => {
    const url = await database();
    const engine = await open(url);
    await engine.apply([writeOf(ADDRESS, 1n)]);
    const somebody = new Client({ connectionString: url });
    await somebody.connect();
    await somebody.query('BEGIN; SELECT * FROM statehouse.address FOR UPDATE');
    const stuck = engine.apply([writeOf(ADDRESS, 2n)]);
    const other = await engine.apply([writeOf({ ...ADDRESS, key: 'other' }, 1n)]);
    expect(other[0]?.outcome.type).toBe('stored');
    await expect(stuck).rejects.toMatchObject({ busy: true });
    await somebody.end();
    await engine[Symbol.asyncDispose]();
  }, 60_000);

  it('of too much at a time is answered as busy, and what was taken is done', async () => {
    const engine: Engine = await open(await database());
    const calls = Array.from({ length: 11_000 }, (_, at) => engine.apply([lockOf(ADDRESS, `l${at}`)]));
    const ends = await Promise.allSettled(calls);
    const refused = ends.filter((end) => end.status === 'rejected');
    expect(refused.length).toBeGreaterThan(500);
    expect(refused.every(({ reason }) => (reason as EngineFault).busy)).toBe(true);
    await engine[Symbol.asyncDispose]();
  }, 120_000);

  it('of a primary ends when its standby is promoted, and what was answered is there', async () => {
    await using primary = await PostgresServer.start(programs!);
    const proxy = await PostgresProxy.start(primary.port);
    const engine = await open(primary.url(await primary.createDatabase(), proxy.port));
    await engine.apply([writeOf(ADDRESS, 1n)]);
    await primary.halt('fast');
    await using standby = await primary.standby();
    proxy.target = standby.port;
    proxy.sever();
    expect((await engine.world(ADDRESS)).record.lastVersion).toBe(1);
    await expect(engine.apply([writeOf(ADDRESS, 2n)])).rejects.toThrow(/read-only: a standby/);
    await expect(engine.check()).rejects.toThrow(/read-only/);
    const waiting = engine.apply([writeOf(ADDRESS, 2n)]);
    await standby.promote();
    expect((await waiting)[0]?.outcome).toMatchObject({ type: 'stored', version: { number: 2 } });
    await engine[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  }, 60_000);
});
