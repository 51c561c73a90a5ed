import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads';
import { RowKeys } from '../../row-keys.ts';
import { openForWriting } from '../connection.ts';
import type { Database } from '../files/driver.ts';
import { FileWatch, WATCH_MS } from '../files/file-watch.ts';
import { describe, reading } from '../faults.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_COMMANDS_MAX,
  type FromWriter,
  type ToWriter,
  type WriterData,
} from './wire.ts';
import { WriteAheadLog } from './write-ahead-log.ts';
import { Writer, type Batch } from './writer.ts';

/** How long nothing must be asked before the log is emptied. */
const IDLE_MS = 200;

/** The thread that alone writes: takes all batches that wait, stores them with one flush, answers, and so on. */
class WriterThread {
  readonly #port: MessagePort;
  readonly #db: Database;
  readonly #writer: Writer;
  readonly #log: WriteAheadLog;
  readonly #files: FileWatch;
  readonly #watching: NodeJS.Timeout;
  readonly #idle: NodeJS.Timeout;
  #stopped = false;

  constructor(port: MessagePort, { databasePath, rowKey, watched }: WriterData) {
    this.#port = port;
    this.#db = openForWriting(databasePath);
    this.#writer = new Writer(this.#db, new RowKeys(rowKey));
    this.#log = new WriteAheadLog(this.#db, databasePath);
    this.#files = new FileWatch(watched);
    this.#watching = setInterval(() => this.#guard(() => this.#files.look()), WATCH_MS).unref();
    this.#idle = setTimeout(() => this.#guard(() => this.#log.empty()), IDLE_MS).unref();
  }

  /** Says first that the database is open. */
  listen(): void {
    this.#port.on('message', (message: ToWriter) => this.#receive(message));
    this.#post({ done: [] });
  }

  #receive(first: ToWriter): void {
    const batches: Batch[] = [];
    let commands = 0;
    let bytes = 0;
    let next: ToWriter | undefined = first;
    while (next !== undefined && next !== 'close') {
      batches.push(next);
      commands += next.commands.length;
      bytes += next.bytes;
      const isFull = commands >= BATCH_COMMANDS_MAX || bytes >= BATCH_BYTES_MAX;
      next = isFull ? undefined : this.#takeWaiting();
    }
    if (batches.length > 0) this.#guard(() => this.#store(batches));
    if (next === 'close') this.#close();
  }

  #takeWaiting(): ToWriter | undefined {
    return receiveMessageOnPort(this.#port)?.message as ToWriter | undefined;
  }

  #store(batches: readonly Batch[]): void {
    const done = this.#writer.run(batches);
    // What was stored in a file without a name is not kept.
    this.#files.look();
    this.#log.noteEnd();
    this.#post({ done });
    this.#log.grown();
    this.#idle.refresh();
  }

  /** What fails here may have failed in a flush, and is not tried again: the pages that were lost now count as clean. */
  #guard(work: () => void): void {
    if (this.#stopped) return;
    try {
      work();
    } catch (error) {
      this.#stopped = true;
      this.#post({ fatal: describe(this.#gone() ?? error) });
    }
  }

  /** What else fails where a file is gone does not say so. */
  #gone(): unknown {
    try {
      this.#files.look();
      return null;
    } catch (error) {
      return error;
    }
  }

  #close(): void {
    clearTimeout(this.#idle);
    clearInterval(this.#watching);
    this.#guard(() => {
      this.#writer.close();
      this.#log.end();
    });
    try {
      this.#db.close();
    } finally {
      this.#log.close();
      this.#port.close();
    }
  }

  #post(message: FromWriter): void {
    this.#port.postMessage(message);
  }
}

if (parentPort !== null) {
  // Only the message of an error gets across to the thread that waits for this one to open the database.
  reading(() => new WriterThread(parentPort as MessagePort, workerData as WriterData)).listen();
}
