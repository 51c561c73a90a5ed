import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/engines/sqlite/files/driver.ts';
import type { Configuration } from '../../src/server/configuration.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { TestHouse } from '../support/open-test-house.ts';

export const MASTER_KEY: string = Buffer.alloc(32, 7).toString('base64');

/** Rows by the tables that they stand in. */
export type Snapshot = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** Where a house keeps everything, in the hands of somebody who has no master key. */
export interface StoredHouse extends AsyncDisposable {
  readonly configuration: Pick<Configuration, 'store' | 'masterKeys'>;
  /** Runs SQL; `?` stands for a value. The house may be open. */
  sql(text: string, ...values: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The SQL condition that a row belongs to this key of project `acme`. */
  at(key: string): string;
}

/** Opens the house on what is stored. */
export function openOn(stored: StoredHouse, more: Partial<Configuration> = {}): Promise<TestHouse> {
  return TestHouse.open({ ...stored.configuration, ...more });
}

export async function inDirectory(): Promise<StoredHouse & { readonly directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'statehouse-tampering-'));
  return {
    directory,
    configuration: { store: { kind: 'directory', path: directory }, masterKeys: MASTER_KEY },
    async sql(text, ...values) {
      const db = openDatabase(join(directory, 'statehouse.db'));
      try {
        db.exec('PRAGMA busy_timeout = 30000');
        return db.prepare(text).all(...(values as string[])) as Record<string, unknown>[];
      } finally {
        db.close();
      }
    },
    at: (key) => `address_id = (SELECT id FROM address WHERE project = 'acme' AND key = '${key}')`,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

export async function inDatabase(server: PostgresServer): Promise<StoredHouse> {
  const database = await server.createDatabase();
  return {
    configuration: { store: { kind: 'postgres', url: server.url(database) }, masterKeys: MASTER_KEY },
    async sql(text, ...values) {
      const { Client } = await import('pg');
      const client = new Client({ connectionString: server.url(database) });
      await client.connect();
      try {
        await client.query('SET search_path = statehouse');
        let at = 0;
        return (
          await client.query(
            text.replaceAll('?', () => `$${++at}`),
            [...values],
          )
        ).rows;
      } finally {
        await client.end();
      }
    },
    at: (key) => `project = 'acme' AND key = '${key}'`,
    [Symbol.asyncDispose]: async () => {},
  };
}
