import { existsSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { openForReading } from '../engines/sqlite/connection.ts';
import { DataDirectory, hasDatabase, LOCK_FILE } from '../engines/sqlite/files/data-directory.ts';
import type { Store } from './configuration.ts';

/** Takes away what a start has made that failed. */
export type TakeAway = () => void;

/**
 * Remembers that there is nothing in a data directory yet, so that a start that fails leaves nothing there: a later one, with
 * another master key perhaps, must not find half a server.
 */
export function beforeStart(store: Store): TakeAway {
  if (store.kind !== 'directory') return () => undefined;
  const path = resolve(store.path);
  if (existsSync(path) && !isEmptyDirectory(path)) return () => undefined;
  const kept = firstThere(path);
  return () => {
    try {
      if (existsSync(path)) takeAway(path);
      for (let made = path; made !== kept; made = dirname(made)) rmdirSync(made);
    } catch {
      // Something else is there by now, or cannot be removed: it stays, and harms nobody.
    }
  };
}

/** Only while no other process has the directory, and only if there is no credential: then nobody was ever answered anything. */
function takeAway(path: string): void {
  using _held = DataDirectory.take(path);
  if (hasDatabase(path) && hasCredential(join(path, 'statehouse.db'))) return;
  for (const name of readdirSync(path)) if (name !== LOCK_FILE) unlinkSync(join(path, name));
  unlinkSync(join(path, LOCK_FILE));
}

function hasCredential(database: string): boolean {
  const db = openForReading(database);
  try {
    const tables = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'credential'").all();
    return tables.length > 0 && db.prepare('SELECT 1 FROM credential LIMIT 1').all().length > 0;
  } finally {
    db.close();
  }
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}

/** The lowest directory of a path that is there. */
function firstThere(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : firstThere(dirname(path));
}
