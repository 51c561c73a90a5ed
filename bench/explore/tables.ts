import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { databasePath } from '../../src/engines/sqlite/files/data-directory.ts';
import { openDatabase, type SqlValue } from '../../src/engines/sqlite/files/driver.ts';
import type { IndexTables, LoadedRow } from './load.ts';

const TOGETHER = 400;
const LINES_TOGETHER = 500_000;

/** The tables of a server with a data directory, which must not be running. */
export async function sqliteTables(directory: string): Promise<IndexTables & AsyncDisposable> {
  const db = openDatabase(databasePath(directory));
  // Nobody else is there, and what is half-written is thrown away.
  db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536');
  const row = db.prepare('INSERT INTO state_index (name, version, at, words, sealed) VALUES (?, ?, ?, ?, ?)');
  const wordsOf = (count: number): ReturnType<typeof db.prepare> =>
    db.prepare(`INSERT INTO index_word (word, name) VALUES ${Array(count).fill('(?, ?)').join(', ')}`);
  const many = wordsOf(TOGETHER);
  const one = wordsOf(1);
  return {
    async putRows(rows) {
      db.exec('BEGIN');
      for (const { name, version, at, words, sealed } of rows)
        row.run(name, version, at, Buffer.concat(words), sealed);
      db.exec('COMMIT');
    },
    async putWords(words) {
      db.exec('BEGIN');
      let values: SqlValue[] = [];
      for (const { word, name } of words) {
        values.push(word, name);
        if (values.length < 2 * TOGETHER) continue;
        many.run(...values);
        values = [];
      }
      for (let at = 0; at < values.length; at += 2) one.run(...values.slice(at, at + 2));
      db.exec('COMMIT');
    },
    async [Symbol.asyncDispose]() {
      db.exec('PRAGMA journal_mode = WAL');
      db.close();
    },
  };
}

/** The tables of a server on a PostgreSQL on this machine, of whom the caller is the superuser. */
export async function postgresTables(url: string): Promise<IndexTables & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const found = await client.query<{ schema: string }>(
    `SELECT table_schema AS schema FROM information_schema.tables WHERE table_name = 'index_word'`,
  );
  const schema = found.rows[0]?.schema ?? 'public';
  const file = join(tmpdir(), `statehouse-bench-explore-${process.pid}.copy`);
  const copy = async (table: string, lines: readonly string[]): Promise<void> => {
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o644 });
    await client.query(`COPY ${schema}.${table} FROM '${file}'`);
  };
  return {
    async putRows(rows) {
      await copy('state_index (name, version, at, words, sealed)', rows.map(rowLine));
    },
    async putWords(words) {
      let lines: string[] = [];
      for (const { word, name } of words) {
        lines.push(`${bytesText(word)}\t${name}`);
        if (lines.length < LINES_TOGETHER) continue;
        await copy('index_word (word, name)', lines);
        lines = [];
      }
      if (lines.length > 0) await copy('index_word (word, name)', lines);
      await client.query(`VACUUM ANALYZE ${schema}.index_word`);
      await client.query(`VACUUM ANALYZE ${schema}.state_index`);
    },
    async [Symbol.asyncDispose]() {
      await client.end();
      await rm(file, { force: true });
    },
  };
}

/** In the text form of COPY (postgresql.org/docs/current/sql-copy.html): a backslash is written twice. */
function rowLine({ name, version, at, words, sealed }: LoadedRow): string {
  const array = words.map((word) => `"\\\\\\\\x${Buffer.from(word).toString('hex')}"`).join(',');
  return [name, version, at, `{${array}}`, bytesText(sealed)].join('\t');
}

function bytesText(bytes: Uint8Array): string {
  return `\\\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`;
}
