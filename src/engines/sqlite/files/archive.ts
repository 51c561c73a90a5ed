import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Address } from '../../../core/address.ts';
import type { Credential } from '../../../core/credential.ts';
import type { Version } from '../../../core/world.ts';
import { EngineFault, type Engine, type StoredBody } from '../../../ports/engine.ts';
import { BodyReader } from '../bodies.ts';
import { databasePath } from './data-directory.ts';
import { openDatabase, type Database } from './driver.ts';
import { reading } from '../faults.ts';
import { Queries } from '../queries.ts';

/**
 * The versions in a data directory or a backup, read without changing what is kept, whether or not a house has it open. A
 * damaged page is the trouble of whoever asks for what stands on it.
 */
export class SqliteArchive implements Pick<Engine, 'version' | 'versions' | 'body' | 'credentials'> {
  readonly #db: Database;
  readonly #queries: Queries;
  readonly #bodies: BodyReader;

  private constructor(db: Database) {
    this.#db = db;
    this.#queries = new Queries(db, () => '');
    this.#bodies = new BodyReader(db);
  }

  /**
   * @param path a data directory, or the file of a backup
   * @throws {EngineFault} when there is no database, or it cannot be read
   */
  static open(path: string): SqliteArchive {
    const found = statSync(path, { throwIfNoEntry: false });
    const file = found?.isDirectory() === true ? databasePath(path) : path;
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    if (size === 0) throw new EngineFault(`there is no database in ${resolve(path)}`);
    return reading(() => {
      try {
        return SqliteArchive.#on(file);
      } catch (error) {
        // Where nothing may be written, SQLite cannot share the file with a writer. Without a log there is none.
        if (existsSync(`${file}-wal`)) throw error;
        return SqliteArchive.#on(`${pathToFileURL(file).href}?immutable=1`);
      }
    });
  }

  static #on(file: string): SqliteArchive {
    const db = openDatabase(file, { readOnly: true });
    try {
      db.exec('PRAGMA busy_timeout = 5000');
      return new SqliteArchive(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async version(address: Address, number: number): Promise<Version | null> {
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

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
