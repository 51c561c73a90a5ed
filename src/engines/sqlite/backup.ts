import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EngineFault } from '../../ports/engine.ts';
import { openForReading } from './connection.ts';
import { DataDirectory, databasePath, hasDatabase, makeFile, syncDirectory } from './data-directory.ts';
import { openDatabase, type Database } from './driver.ts';
import { damaged, reading } from './fault.ts';

/**
 * Writes the database as it is at this moment into a new file, whether or not a house has the directory open.
 * The house goes on beside it. Takes as long as the database is large, and blocks the calling thread for so long.
 * @throws {EngineFault} when the target is there already, or when there is nothing to back up
 */
export function backUp(directory: string, target: string): void {
  if (!hasDatabase(directory)) throw new EngineFault(`there is no database in ${resolve(directory)}`);
  if (existsSync(target)) throw new EngineFault(`${target} is there already: a backup goes into a new file`);
  makeFile(target);
  try {
    const db = openForReading(databasePath(directory));
    try {
      // It may write into an empty file, so that the file's rights are set before there is anything in it.
      reading(() => db.prepare('VACUUM INTO ?').run(target));
    } finally {
      db.close();
    }
    syncFile(target);
    syncDirectory(dirname(resolve(target)));
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}

/**
 * Makes a data directory out of a backup.
 * @throws {EngineFault} when the directory has a database already, or when the backup is damaged
 */
export function restoreBackup(backup: string, directory: string): void {
  if (hasDatabase(directory)) {
    throw new EngineFault(`${resolve(directory)} has a database already: a backup goes into a new directory`);
  }
  if (!existsSync(backup)) throw new EngineFault(`there is no file ${backup}`);
  const source = openDatabase(backup, { readOnly: true });
  try {
    proveSound(source);
  } finally {
    source.close();
  }
  const taken = DataDirectory.take(directory);
  try {
    const part = `${taken.databasePath}.part`;
    makeFile(part);
    copyFileSync(backup, part);
    syncFile(part);
    renameSync(part, taken.databasePath);
    syncDirectory(dirname(taken.databasePath));
  } finally {
    taken[Symbol.dispose]();
  }
}

/** Reads every page. */
function proveSound(db: Database): void {
  const rows = reading(() => db.prepare('PRAGMA integrity_check(1)').all()) as { integrity_check: string }[];
  const [first] = rows;
  if (first?.integrity_check !== 'ok') throw new EngineFault(damaged(first?.integrity_check ?? 'no answer'));
}

function syncFile(path: string): void {
  const handle = openSync(path, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
