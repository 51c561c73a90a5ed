import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EngineFault } from '../../../ports/engine.ts';
import { openForReading } from '../connection.ts';
import { DataDirectory, databasePath, hasDatabase, makeFile, syncDirectory } from './data-directory.ts';
import { readLogEnd } from './log-end.ts';
import { logDamage } from './log-file.ts';
import { copyPages, openDatabase, type Database } from './driver.ts';
import { damaged, describe, messageOf, reading } from '../faults.ts';

/** Files beside a database in which SQLite may find changes to it; of another database they would spoil this one. */
const LOGS = ['-wal', '-journal'];

/** What a backup holds. */
export interface Backup {
  /** What is wrong with the database, of which the backup is then a copy, damage and all; null if nothing is. */
  readonly damage: string | null;
}

/**
 * Writes the database as it is at this moment into a new file, whether or not a house has the directory open.
 * The house goes on beside it. Takes as long as the database is large, and blocks the calling thread for so long.
 * @throws {EngineFault} when the target is there already, or when there is nothing to back up
 */
export async function backUp(directory: string, target: string): Promise<Backup> {
  if (!hasDatabase(directory)) throw new EngineFault(`there is no database in ${resolve(directory)}`);
  if (existsSync(target)) throw new EngineFault(`${target} is there already: a backup goes into a new file`);
  makeFile(target);
  try {
    const backup = await copyInto(directory, target);
    syncFile(target);
    syncDirectory(dirname(resolve(target)));
    return backup;
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}

/**
 * What a backup of a directory that no server has open will lack, because its log is damaged; null where it lacks nothing. A
 * server that runs has looked at its log when it started.
 */
export function lostInLog(directory: string): string | null {
  if (!hasDatabase(directory)) return null;
  let held: DataDirectory;
  try {
    held = DataDirectory.take(directory);
  } catch {
    return null;
  }
  try {
    const path = databasePath(directory);
    const damage = logDamage(path, readLogEnd(path));
    return damage === null ? null : `${damage}: what was stored after that is not in this backup`;
  } finally {
    held[Symbol.dispose]();
  }
}

/**
 * Looks at every page of a directory's database, whether or not a house has it open, and whether indexes and tables agree. What is
 * written meanwhile is not looked at. Takes as long as the database is large, and blocks the calling thread for so long.
 * @returns what is wrong, in words for the operator; null if nothing is
 * @throws {EngineFault} when there is no database, or it cannot be opened
 */
export function checkPages(directory: string): string | null {
  if (!hasDatabase(directory)) throw new EngineFault(`there is no database in ${resolve(directory)}`);
  const db = reading(() => openForReading(databasePath(directory)));
  try {
    const damage = damageOf(db);
    return damage === null ? null : damaged(damage);
  } finally {
    db.close();
  }
}

async function copyInto(directory: string, target: string): Promise<Backup> {
  const db = openForReading(databasePath(directory));
  try {
    // SQLite writes into an empty file, so that the file's rights are set before there is anything in it. To a connection
    // that only reads it would be a write.
    db.exec('PRAGMA query_only = OFF');
    db.prepare('VACUUM INTO ?').run(target);
    // A copy makes its indexes anew, and would hide that those of the original are damaged.
    const damage = damageOf(db);
    return { damage: damage === null ? null : damaged(damage) };
  } catch (error) {
    // A broken page can come out as any error, even as a disk that is full.
    const damage = damageOf(db);
    if (damage === null) throw new EngineFault(describe(error), { cause: error });
    truncateSync(target);
    await copyPages(db, target);
    return { damage: damaged(damage) };
  } finally {
    db.close();
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
  for (const suffix of LOGS) {
    const log = `${databasePath(directory)}${suffix}`;
    if (existsSync(log))
      throw new EngineFault(`${log} is left over from another database: move it away first`);
  }
  if (!existsSync(backup)) throw new EngineFault(`there is no file ${backup}`);
  const source = openDatabase(backup, { readOnly: true });
  try {
    const damage = damageOf(source);
    if (damage !== null) throw new EngineFault(`${backup} is damaged (${damage}): restore an older backup`);
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

/** What is wrong with a database, or null; reads every page of it. */
function damageOf(db: Database): string | null {
  try {
    const [row] = db.prepare('PRAGMA integrity_check(1)').all() as { integrity_check: string }[];
    return row?.integrity_check === 'ok' ? null : (row?.integrity_check ?? 'no answer');
  } catch (error) {
    return messageOf(error);
  }
}

function syncFile(path: string): void {
  const handle = openSync(path, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
