import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Address } from '../../../core/address.ts';
import type { Credential } from '../../../core/credential.ts';
import type { Version } from '../../../core/world.ts';
import {
  type AuditFilter,
  type AuditQuery,
  type AuditRecord,
  type AuditStretch,
  EngineFault,
  type Engine,
  type Entry,
  type StateQuery,
  type StateSummary,
  type StoredBody,
  type WholeLog,
} from '../../../ports/engine.ts';
import { UnauthenticatedRows, type OpenRowKey } from '../../../ports/row-key.ts';
import { NO_ROW_KEY, RowKeys } from '../../row-keys.ts';
import { verifyLog } from '../audit-chain.ts';
import { BodyReader } from '../bodies.ts';
import { databasePath } from './data-directory.ts';
import { openDatabase, type Database } from './driver.ts';
import { reading } from '../faults.ts';
import { AuditLog } from '../audit.ts';
import { sealedRowKey } from '../credentials.ts';
import { requireSchema } from '../migrate.ts';
import { Queries } from '../queries.ts';

/**
 * The versions in a data directory or a backup, read without changing what is kept, whether or not a house has it open. A
 * damaged page is the trouble of whoever asks for what stands on it.
 */
export class SqliteArchive implements Pick<
  Engine,
  'version' | 'versions' | 'body' | 'credentials' | 'states' | 'entries' | 'audit' | 'auditAfter'
> {
  readonly #db: Database;
  readonly #keys: RowKeys;
  readonly #queries: Queries;
  readonly #bodies: BodyReader;
  readonly #audit: AuditLog;

  private constructor(db: Database, keys: RowKeys) {
    this.#db = db;
    this.#keys = keys;
    this.#queries = new Queries(db, () => '', keys);
    this.#bodies = new BodyReader(db);
    this.#audit = new AuditLog(db);
  }

  /**
   * @param path a data directory, or the file of a backup
   * @throws {EngineFault} when there is no database, or it cannot be read, or a former program wrote it
   */
  static open(path: string, openRowKey: OpenRowKey = NO_ROW_KEY): SqliteArchive {
    const found = statSync(path, { throwIfNoEntry: false });
    const file = found?.isDirectory() === true ? databasePath(path) : path;
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) throw new EngineFault(`there is no database in ${resolve(path)}`);
    const db = reading(() => openWhole(file));
    try {
      const sealed = reading(() => sealedRowKey(db));
      if (sealed === null) throw new UnauthenticatedRows();
      const { bytes } = openRowKey({ sealed, used: true });
      return reading(() => new SqliteArchive(db, new RowKeys(bytes)));
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async version(address: Address, number: number | null): Promise<Version | null> {
    return reading(() => this.#queries.version(address, number));
  }

  async versions(address: Address, query: { before?: number; limit: number }): Promise<readonly Version[]> {
    return reading(() => this.#queries.versions(address, query));
  }

  async body(bodyId: string): Promise<StoredBody | null> {
    return reading(() => this.#bodies.read(bodyId));
  }

  async credentials(): Promise<readonly Credential[]> {
    return reading(() => this.#queries.credentials());
  }

  async states(query: StateQuery): Promise<readonly StateSummary[]> {
    return reading(() => this.#queries.states(query));
  }

  async entries(kind: string | null): Promise<readonly Entry[]> {
    return reading(() => this.#queries.entries(kind));
  }

  async audit(query: AuditQuery): Promise<readonly AuditRecord[]> {
    return this.#audit.read(query);
  }

  async auditAfter(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch> {
    return this.#audit.after(after, filter, limit);
  }

  /** Walks through the audit log. @throws {EngineFault} where it was changed, or does not go on from a former head */
  verifyLog(heads: readonly string[]): WholeLog {
    return reading(() => verifyLog(this.#db, this.#keys, heads));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** Opens a database to read it, whether or not its file can be shared with a writer. */
function openWhole(file: string): Database {
  try {
    return openAs(file);
  } catch (error) {
    // Where nothing may be written, SQLite cannot share the file with a writer. Without a log there is none.
    if (error instanceof EngineFault || existsSync(`${file}-wal`)) throw error;
    return openAs(`${pathToFileURL(file).href}?immutable=1`);
  }
}

function openAs(file: string): Database {
  const db = openDatabase(file, { readOnly: true });
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    requireSchema(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The sealed secrets of a backup, whatever program wrote it. */
export function secretsOf(backup: string): readonly Pick<Credential, 'id' | 'sealedSecret'>[] {
  return onBackup(
    backup,
    (db) =>
      db.prepare('SELECT id, sealed_secret AS sealedSecret FROM credential').all() as Pick<
        Credential,
        'id' | 'sealedSecret'
      >[],
  );
}

/** Whether the rows of a backup are authenticated: a former program did not do it. */
export function isAuthenticated(backup: string): boolean {
  return onBackup(backup, (db) => {
    const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'house'").get();
    return table !== undefined && sealedRowKey(db) !== null;
  });
}

/** @throws {EngineFault} when it is no database, or a damaged one */
function onBackup<T>(backup: string, read: (db: Database) => T): T {
  if (!existsSync(backup)) throw new EngineFault(`there is no file ${backup}`);
  return reading(() => {
    const db = openDatabase(backup, { readOnly: true });
    try {
      return read(db);
    } finally {
      db.close();
    }
  });
}
