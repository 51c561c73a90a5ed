import { EngineFault } from '../../ports/engine.ts';
import { openDatabase, type Database } from './files/driver.ts';

/** Of new databases; one that is there keeps its own. A commit writes each page that it changes whole, and mostly changes a row of it. */
export const PAGE_BYTES = 4_096;
const CACHE_KIB = 32_768;
/** For another connection of ours, which has the whole database for a moment while it opens or closes it. */
const BUSY_WAIT_MS = 5_000;
/** `PRAGMA synchronous` answers with numbers. */
const SYNCHRONOUS_FULL = 2;
/** How much of the write-ahead log stays allocated after its pages have gone into the database. */
const WAL_KEPT_BYTES: number = 4 * 1024 * 1024;

/** The one connection that writes. Its log is emptied by the writer between commits, not by SQLite inside of them. */
export function openForWriting(path: string): Database {
  const db = openDatabase(path);
  return checked(db, () => {
    waitWhenBusy(db);
    db.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
    expectPragma(db, 'PRAGMA journal_mode = WAL', 'journal_mode', 'wal');
    setUp(db);
    // What is dropped is overwritten, so that a purged state's key is not left in a free page.
    db.exec('PRAGMA secure_delete = ON');
    db.exec(`PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`);
  });
}

/** A connection that sees every commit from the moment it is answered, and cannot write. */
export function openForReading(path: string): Database {
  const db = openDatabase(path);
  return checked(db, () => {
    waitWhenBusy(db);
    setUp(db);
    db.exec('PRAGMA query_only = ON');
  });
}

/** The first that is said to a connection: already the second may find the database taken. */
function waitWhenBusy(db: Database): void {
  db.exec(`PRAGMA busy_timeout = ${BUSY_WAIT_MS}`);
}

function setUp(db: Database): void {
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}; PRAGMA temp_store = MEMORY`);
  db.exec('PRAGMA synchronous = FULL');
  // Drivers differ in what they make of WAL's durability (better-sqlite3 builds with NORMAL), so it is read back.
  expectPragma(db, 'PRAGMA synchronous', 'synchronous', SYNCHRONOUS_FULL);
}

function expectPragma(db: Database, sql: string, column: string, expected: string | number): void {
  const row = db.prepare(sql).get() as Record<string, unknown> | undefined;
  const value = row?.[column];
  if (value !== expected) {
    throw new EngineFault(`SQLite answers ${String(value)} to "${sql}" where it must say ${expected}`);
  }
}

function checked(db: Database, prepare: () => void): Database {
  try {
    prepare();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
