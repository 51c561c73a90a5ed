import { readdir, readFile } from 'node:fs/promises';
import type { Client, QueryConfig } from 'pg';
import type { Milliseconds } from '../../core/instant.ts';
import { EngineFault } from '../../ports/engine.ts';
import { connectAlone } from './connection.ts';
import { ConnectionLost, faultFrom } from './faults.ts';
import type { PostgresOptions } from './session/options.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
const MIGRATION = /^(\d{4})-[a-z0-9-]+\.sql$/;
/** The first line of a migration: the oldest program, by its newest migration, that may still work beside it. */
const LEAST_PROGRAM = /^-- least-program: (\d+)\n/;
/** Any number that nobody else locks; nodes that start together take turns. */
const LOCK_KEY = 7_236_504_117_117n;
/** The longest wait for another node that is migrating. */
const LOCK_MS_MAX: Milliseconds = 120_000;

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly leastProgram: number;
}

/**
 * Brings the schema up to this program's, all in one transaction under a lock that nodes starting together take in turn.
 * When nothing is to be done, nothing is written, so that a user that may not create tables can run the house.
 * @throws {EngineFault} when a newer program has been at the schema and this one may not work beside it
 */
export async function migrate(options: PostgresOptions): Promise<void> {
  const migrations = await listMigrations();
  const program = migrations.at(-1)?.number ?? 0;
  const { schema } = options;
  const client = await connectAlone(options);
  try {
    await requireUtf8(client);
    const before = await schemaOf(client, schema);
    if (before !== null && before.number >= program) {
      requireKnown(before, program);
      return;
    }
    await client.query('BEGIN');
    await lockSchema(client);
    await makeSchema(client, schema);
    await client.query(`SET LOCAL search_path = ${schema}`);
    const now = await schemaOf(client, schema);
    if (now !== null) requireKnown(now, program);
    for (const migration of migrations.filter(({ number }) => number > (now?.number ?? 0))) {
      await client.query(migration.sql);
      await client.query('INSERT INTO migration (number, name, least_program) VALUES ($1, $2, $3)', [
        migration.number,
        migration.name,
        migration.leastProgram,
      ]);
    }
    await client.query('COMMIT');
  } catch (error) {
    throw error instanceof EngineFault ? error : faultFrom(ConnectionLost.orRefusal(error));
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Waits for its turn among the nodes that start, until the end of the transaction. */
export async function lockSchema(client: Client): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_MS_MAX}`);
  await client.query({
    text: 'SELECT pg_advisory_xact_lock($1)',
    values: [LOCK_KEY.toString()],
    query_timeout: LOCK_MS_MAX,
  } as QueryConfig);
}

/** The newest migration of a schema, and the oldest program that it bears; null when there is none yet. */
interface SchemaVersion {
  readonly number: number;
  readonly leastProgram: number;
}

/** Whether a program that knows migrations up to `program` may use the schema. */
export function requireKnown(schema: SchemaVersion, program: number): void {
  if (schema.leastProgram <= program) return;
  throw new EngineFault(
    `the database has schema ${schema.number}, which needs a statehouse that knows schema ${schema.leastProgram}; ` +
      `this one knows ${program} at the most: it was used by a newer one`,
    { fatal: true },
  );
}

/** The number of the newest migration that this program carries. */
export async function programVersion(): Promise<number> {
  return (await listMigrations()).at(-1)?.number ?? 0;
}

/** Reads the state of the schema. */
export function schemaVersionStatement(schema: string): string {
  return `SELECT max(number) AS number, max(least_program) AS least_program FROM ${schema}.migration`;
}

async function schemaOf(client: Client, schema: string): Promise<SchemaVersion | null> {
  const table = await client.query('SELECT to_regclass($1) AS found', [`${schema}.migration`]);
  if (table.rows[0]?.found === null) return null;
  const { rows } = await client.query<{ number: number | null; least_program: number | null }>(
    schemaVersionStatement(schema),
  );
  const [row] = rows;
  return row === undefined || row.number === null
    ? null
    : { number: row.number, leastProgram: row.least_program ?? 0 };
}

/** A schema that is there already needs no right to make one. */
async function makeSchema(client: Client, schema: string): Promise<void> {
  const there = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
  if (there.rowCount === 0) await client.query(`CREATE SCHEMA ${schema}`);
  await client.query(`
    CREATE TABLE IF NOT EXISTS ${schema}.migration (
      number integer PRIMARY KEY,
      name text NOT NULL,
      -- the oldest program, by its newest migration, that may work beside this one
      least_program integer NOT NULL,
      at timestamptz NOT NULL DEFAULT now()
    )`);
}

async function requireUtf8(client: Client): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('SHOW server_encoding');
  const encoding = rows[0]?.server_encoding;
  if (encoding === 'UTF8') return;
  throw new EngineFault(`the database's encoding is ${encoding}, and it must be UTF8 to hold every name`);
}

async function listMigrations(): Promise<Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => MIGRATION.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, MIGRATIONS), 'utf8');
      const leastProgram = LEAST_PROGRAM.exec(sql)?.[1];
      if (leastProgram === undefined) throw new Error(`${name} does not begin with its least-program`);
      return { number: Number(MIGRATION.exec(name)?.[1]), name, sql, leastProgram: Number(leastProgram) };
    }),
  );
}
