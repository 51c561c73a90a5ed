import { readdirSync, readFileSync } from 'node:fs';
import { EngineFault } from '../../ports/engine.ts';
import type { Database } from './files/driver.ts';

const MIGRATIONS = new URL('./migrations/', import.meta.url);
const MIGRATION = /^(\d{4})-[a-z0-9-]+\.sql$/;

interface Migration {
  readonly number: number;
  readonly name: string;
}

/**
 * Brings the schema up to this program's, one numbered file after the other, each in a transaction of its own.
 * @throws {EngineFault} when a newer program has been at the database
 */
export function migrate(db: Database): void {
  const migrations = listMigrations();
  const newest = migrations.at(-1)?.number ?? 0;
  const current = schemaVersion(db);
  if (current > newest) {
    throw new EngineFault(
      `the database has schema ${current}, and this statehouse knows ${newest} at the most: it was used by a newer one`,
    );
  }
  for (const { number, name } of migrations.filter((migration) => migration.number > current)) {
    const sql = readFileSync(new URL(name, MIGRATIONS), 'utf8');
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${number}; COMMIT`);
    } catch (cause) {
      rollBack(db);
      throw new EngineFault(`the migration ${name} failed, and nothing was changed`, { cause });
    }
  }
}

/** @throws {EngineFault} unless this program's migrations are all that the database has seen */
export function requireSchema(db: Database): void {
  const [current, own] = [schemaVersion(db), listMigrations().at(-1)?.number ?? 0];
  if (current === own) return;
  throw new EngineFault(
    `the database has schema ${current}, and this statehouse reads ${own}: ` +
      (current > own
        ? 'it was used by a newer one'
        : 'start "statehouse serve" on it once, which brings it up to date'),
  );
}

function rollBack(db: Database): void {
  try {
    db.exec('ROLLBACK');
  } catch {
    // SQLite has rolled back by itself, as after a COMMIT that failed.
  }
}

export function schemaVersion(db: Database): number {
  return (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

function listMigrations(): Migration[] {
  return readdirSync(MIGRATIONS)
    .flatMap((name) => {
      const number = MIGRATION.exec(name)?.[1];
      return number === undefined ? [] : [{ number: Number(number), name }];
    })
    .sort((a, b) => a.number - b.number);
}
