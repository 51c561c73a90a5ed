import { createRequire } from 'node:module';
import { EngineFault } from '../../../ports/engine.ts';

export type SqlValue = null | number | string | Uint8Array;

/** The part of `node:sqlite`'s prepared statement that we use. Rows are typed where they are read. */
export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
}

/** The part of `node:sqlite`'s `DatabaseSync` that we use. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  function(name: string, body: (...values: never[]) => SqlValue): void;
  close(): void;
}

interface DatabaseOptions {
  readonly readOnly?: boolean;
}

interface Driver {
  readonly DatabaseSync: new (path: string, options: DatabaseOptions) => Database;
  /** Node has it from 22.16 on. */
  readonly backup?: (db: Database, path: string) => Promise<number>;
}

let loaded: Driver | undefined;

/** Opens a database file with Node's own SQLite where Node has one, else with the package that has the same API. */
export function openDatabase(path: string, options: DatabaseOptions = {}): Database {
  return new (driver().DatabaseSync)(path, options);
}

/** Copies a database page by page, whatever is on the pages. */
export async function copyPages(db: Database, path: string): Promise<void> {
  const { backup } = driver();
  if (backup === undefined) {
    throw new EngineFault(
      `this Node.js (${process.version}) cannot copy a damaged database: use 22.16 or newer`,
    );
  }
  await backup(db, path);
}

function driver(): Driver {
  loaded ??= builtinDriver() ?? packagedDriver();
  return loaded;
}

/** `node:sqlite` is there without a flag from Node 22.13 on. */
function builtinDriver(): Driver | undefined {
  const { emitWarning } = process;
  // Node 22 warns on loading that its SQLite is experimental; an operator can do nothing about it.
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule?.('node:sqlite') as Driver | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

function packagedDriver(): Driver {
  try {
    return createRequire(import.meta.url)('@photostructure/sqlite') as Driver;
  } catch (cause) {
    throw new EngineFault(
      `this Node.js (${process.version}) has no SQLite of its own, and the package @photostructure/sqlite is missing: ` +
        'use Node.js 22.13 or newer, or install with optional dependencies',
      { cause },
    );
  }
}
