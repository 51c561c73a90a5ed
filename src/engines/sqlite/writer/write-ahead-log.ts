import { statSync } from 'node:fs';
import type { Database, Statement } from '../files/driver.ts';
import { LogEndFile } from '../files/log-end.ts';

/** Commits are appended to the log; at the latest when it has this size its pages go into the database. */
const WAL_BYTES_MAX: number = 64 * 1024 * 1024;

/**
 * Empties the write-ahead log between commits, never inside of one, so that nobody's answer waits for it. The log is not
 * made shorter while somebody reads from it; then it grows by as much again before the next try.
 */
export class WriteAheadLog {
  readonly #path: string;
  readonly #checkpoint: Statement;
  readonly #truncate: Statement;
  readonly #end: LogEndFile;
  #emptyAt = WAL_BYTES_MAX;
  #dirty = false;

  constructor(db: Database, databasePath: string) {
    this.#path = `${databasePath}-wal`;
    this.#checkpoint = db.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    this.#truncate = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#end = new LogEndFile(databasePath);
  }

  /** After a commit that is durable, before it is answered. */
  noteEnd(): void {
    this.#dirty = true;
    this.#end.note();
  }

  /** After a commit has been answered. */
  grown(): void {
    if (statSync(this.#path).size >= this.#emptyAt) this.empty();
  }

  /** Takes what is in the log into the database; does nothing if nothing was written since. */
  empty(): void {
    if (!this.#dirty) return;
    const { busy, log, checkpointed } = this.#checkpoint.get() as Record<string, number>;
    const isEmpty = busy === 0 && log === checkpointed;
    this.#dirty = !isEmpty;
    this.#emptyAt = WAL_BYTES_MAX + (isEmpty ? 0 : statSync(this.#path).size);
  }

  /**
   * Before the connection is closed: after this the database file alone has everything. SQLite does the same for the last
   * connection, but @photostructure/sqlite lets a connection go only when its statements are collected as garbage.
   */
  end(): void {
    this.#truncate.get();
  }

  /** Once the connection is closed. */
  close(): void {
    this.#end.close();
  }
}
