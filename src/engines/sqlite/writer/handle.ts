import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Instant } from '../../../core/instant.ts';
import { EngineFault, type Command, type Telling } from '../../../ports/engine.ts';
import { messageOf } from '../faults.ts';
import {
  BATCH_BYTES_MAX,
  BATCH_COMMANDS_MAX,
  pack,
  type FromWriter,
  type PackedCommand,
  type ToWriter,
  type WriterData,
} from './wire.ts';
import type { BatchDone, Reply } from './writer.ts';

/** What may wait for the writer. Beyond it a call is refused, as busy; a single command of any size may always wait. */
const QUEUE_COMMANDS_MAX = 32_768;
const QUEUE_BYTES_MAX: number = 512 * 1024 * 1024;

interface PendingCall {
  readonly tellsNotes: boolean;
  readonly replies: Reply[];
  remaining: number;
  readonly resolve: (replies: readonly Reply[]) => void;
  readonly reject: (fault: EngineFault) => void;
}

/** One command of a call, on its way. */
interface Item extends PackedCommand {
  readonly call: PendingCall;
  readonly index: number;
}

/**
 * The writer thread as seen from the main thread. Commands travel together, once a turn of the event loop, and the writer
 * takes all that have come while it was busy.
 */
export class WriterHandle {
  /** Settles with the fault that stopped the writer for good; nothing that was not answered is known to be kept. */
  readonly stopped: Promise<EngineFault>;
  readonly #worker: Worker;
  readonly #now: () => Instant;
  readonly #exited: Promise<void>;
  readonly #sent = new Map<number, readonly Item[]>();
  #waiting: Item[] = [];
  #commands = 0;
  #bytes = 0;
  #nextId = 1;
  #scheduled = false;
  #closing = false;
  #fault: EngineFault | null = null;
  #stop: (fault: EngineFault) => void = () => {};

  private constructor(worker: Worker, now: () => Instant) {
    this.#worker = worker;
    this.#now = now;
    this.stopped = new Promise((resolve) => {
      this.#stop = resolve;
    });
    worker.on('message', (message: FromWriter) => {
      if ('done' in message) this.#answer(message.done);
      else this.#fail(message.fatal, undefined);
    });
    worker.on('error', (cause) => this.#fail(`the writer failed: ${messageOf(cause)}`, cause));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        if (!this.#closing) this.#fail('the writer ended before its time', undefined);
        resolve();
      });
    });
  }

  /** Starts the thread on a database whose schema is up to date; resolves once it is open. */
  static async start(
    databasePath: string,
    { now, ...opened }: { readonly now: () => Instant } & Omit<WriterData, 'databasePath'>,
  ): Promise<WriterHandle> {
    // The built file, also where a test runner runs the sources: a thread does not inherit the runner's way to read them.
    const path = createRequire(import.meta.url).resolve('#sqlite-writer');
    const worker = new Worker(path, { workerData: { databasePath, ...opened } satisfies WriterData });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (cause) => reject(new EngineFault(messageOf(cause), { cause })));
    });
    worker.removeAllListeners('error');
    return new WriterHandle(worker, now);
  }

  /** Resolves once what the commands did is durable, with a reply to each. */
  async perform(
    commands: readonly Command[],
    { notes: tellsNotes = false }: Telling = {},
  ): Promise<readonly Reply[]> {
    if (this.#fault !== null) throw this.#fault;
    if (this.#closing) throw new EngineFault('the engine is closed');
    if (this.#commands > 0 && this.#commands + commands.length > QUEUE_COMMANDS_MAX) throw busy();
    if (this.#bytes > QUEUE_BYTES_MAX) throw busy();
    const packedEffects = commands.map(pack);
    if (packedEffects.length === 0) return [];
    return new Promise((resolve, reject) => {
      const call: PendingCall = { tellsNotes, replies: [], remaining: packedEffects.length, resolve, reject };
      for (const [index, packed] of packedEffects.entries()) {
        this.#waiting.push({ ...packed, call, index });
        this.#bytes += packed.bytes;
      }
      this.#commands += packedEffects.length;
      this.#schedule();
    });
  }

  /** Resolves when the thread has stored what was given to it, closed the database and ended. */
  async close(): Promise<void> {
    this.#flush();
    this.#closing = true;
    // Not `terminate()`: that aborts the whole process where SQLite is in the middle of a call.
    this.#worker.postMessage('close' satisfies ToWriter);
    await this.#exited;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // Waking a thread costs more than what it is woken for: all requests that one look at the sockets has found go together.
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const at = this.#now();
    let batch: Item[] = [];
    let bytes = 0;
    for (const item of this.#waiting) {
      batch.push(item);
      bytes += item.bytes;
      if (batch.length < BATCH_COMMANDS_MAX && bytes < BATCH_BYTES_MAX) continue;
      this.#post(batch, at, bytes);
      batch = [];
      bytes = 0;
    }
    this.#waiting = [];
    if (batch.length > 0) this.#post(batch, at, bytes);
  }

  #post(items: readonly Item[], at: Instant, bytes: number): void {
    const id = this.#nextId;
    this.#nextId += 1;
    const commands = items.map(({ command }) => command);
    const handedOver = new Set(items.flatMap((item) => item.handedOver));
    const tellsNotes = items.some(({ call }) => call.tellsNotes);
    try {
      this.#worker.postMessage({ id, at, commands, tellsNotes, bytes } satisfies ToWriter, [...handedOver]);
      this.#sent.set(id, items);
    } catch (cause) {
      const fault = new EngineFault(`a command cannot be given to the writer: ${messageOf(cause)}`, {
        cause,
      });
      for (const item of items) this.#settle(item, { fault: fault.message, busy: false });
    }
  }

  #answer(done: readonly BatchDone[]): void {
    for (const { id, replies } of done) {
      const items = this.#sent.get(id) ?? [];
      this.#sent.delete(id);
      for (const [index, item] of items.entries()) this.#settle(item, replies[index] as Reply);
    }
  }

  #settle({ call, index, bytes }: Item, reply: Reply): void {
    this.#commands -= 1;
    this.#bytes -= bytes;
    call.replies[index] = reply;
    call.remaining -= 1;
    if (call.remaining === 0) call.resolve(call.replies);
  }

  #fail(message: string, cause: unknown): void {
    if (this.#fault !== null) return;
    const fault = new EngineFault(message, { cause, fatal: true });
    this.#fault = fault;
    for (const { call } of [...this.#sent.values(), this.#waiting].flat()) call.reject(fault);
    this.#sent.clear();
    this.#waiting = [];
    this.#stop(fault);
  }
}

function busy(): EngineFault {
  return new EngineFault(
    'the engine is busy: more is waiting to be stored than it takes at a time; try again',
    { busy: true },
  );
}
