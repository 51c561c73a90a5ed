import { chmodSync, closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EngineFault } from '../../../ports/engine.ts';
import { openDatabase, type Database } from './driver.ts';
import { lockDirectory, type DirectoryLock } from './directory-lock.ts';
import { makePath } from './make-path.ts';
import { isBusy, messageOf } from '../faults.ts';

const DATABASE = 'statehouse.db';
/** What is locked by whoever uses the directory. */
export const LOCK_FILE = 'lock.db';
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** The database file of a data directory. */
export function databasePath(directory: string): string {
  return join(directory, DATABASE);
}

/** Whether there is a database in the directory; an empty file is what is there before the first start has come far. */
export function hasDatabase(directory: string): boolean {
  const found = statSync(databasePath(directory), { throwIfNoEntry: false });
  return found !== undefined && found.size > 0;
}

/** A data directory in use by this process and no other, until it is disposed of or the process ends, however it ends. */
export class DataDirectory implements Disposable {
  readonly databasePath: string;
  /** What the operator should know of how it is locked; null if it is nothing. */
  readonly warning: string | null;
  /** The files that must not be removed or replaced while it is in use. */
  readonly watched: readonly string[];
  readonly #lock: Database;
  readonly #itself: DirectoryLock;

  private constructor(directory: string, lock: Database, itself: DirectoryLock) {
    this.databasePath = databasePath(directory);
    this.#lock = lock;
    this.#itself = itself;
    const used = ['', '-wal', '-shm'].map((suffix) => `${this.databasePath}${suffix}`);
    this.watched = itself.type === 'held' ? used : [...used, join(directory, LOCK_FILE)];
    this.warning =
      itself.type === 'impossible'
        ? `the data directory itself is not locked, only ${LOCK_FILE} in it: ${itself.why}`
        : null;
  }

  /**
   * Makes the directory if it is not there, and takes it for this process alone.
   * @param needsDatabase whether a directory that was used before must have its database still
   * @throws {EngineFault} when another process has it, or its database was removed
   */
  static take(
    path: string,
    { needsDatabase = false }: { readonly needsDatabase?: boolean } = {},
  ): DataDirectory {
    const directory = resolve(path);
    try {
      if (needsDatabase) expectDatabase(directory);
      makeDirectory(directory);
      const lock = takeLock(directory);
      const itself = lockDirectory(directory);
      if (itself.type !== 'taken') return new DataDirectory(directory, lock, itself);
      lock.close();
      throw inUse(directory);
    } catch (cause) {
      if (cause instanceof EngineFault) throw cause;
      throw new EngineFault(`the data directory ${directory} cannot be used: ${messageOf(cause)}`, { cause });
    }
  }

  [Symbol.dispose](): void {
    this.#lock.close();
    if (this.#itself.type === 'held') closeSync(this.#itself.descriptor);
  }
}

/** Makes a file that only its owner may read, before SQLite would make it with wider rights. */
export function makeFile(path: string): void {
  closeSync(openSync(path, 'a', FILE_MODE));
  chmodSync(path, FILE_MODE);
}

/** Makes the names in a directory durable, not only what the files say. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function makeDirectory(directory: string): void {
  const first = makePath(directory, DIRECTORY_MODE);
  if (first !== null) syncDirectory(dirname(first));
  // Not once SQLite has it open: closing any handle of a file drops this process's locks on it.
  for (const name of [DATABASE, LOCK_FILE]) {
    if (!existsSync(join(directory, name))) makeFile(join(directory, name));
  }
  syncDirectory(directory);
}

/** A new database beside the traces of a former one would answer that nothing is there. The database is made before what is locked. */
function expectDatabase(directory: string): void {
  if (existsSync(join(directory, DATABASE)) || !existsSync(join(directory, LOCK_FILE))) return;
  throw new EngineFault(
    `${DATABASE} is missing from ${directory}, which was used before: put it back, or restore a backup there with ` +
      `"statehouse restore-backup"; to begin anew, use another directory`,
  );
}

/** The operating system lets an exclusive lock go when the process dies, so a crash leaves nothing to clean up. */
function takeLock(directory: string): Database {
  const lock = openDatabase(join(directory, LOCK_FILE));
  try {
    lock.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    throw inUse(directory, cause);
  }
}

function inUse(directory: string, cause?: unknown): EngineFault {
  return new EngineFault(
    `the data directory ${directory} is in use by another process: stop that one first, or use another directory`,
    { cause },
  );
}
