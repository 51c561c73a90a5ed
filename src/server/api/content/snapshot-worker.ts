import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Done, WorkerRequest } from './thread.ts';
import type { SnapshotAnswer, SnapshotTask } from './snapshot-task.ts';

/** Requests that may wait for their turn; none of them holds a state meanwhile. */
const WAITING_MAX = 64;
/** What the thread may use; a state that needs more fails alone. */
const HEAP_MEBIBYTES_MAX = 1_536;
/** The thread ends when it has had nothing to do for so long. */
const IDLE_MS = 30_000;

interface Waiting {
  readonly resolve: (answer: SnapshotAnswer) => void;
  readonly reject: (fault: Error) => void;
}

/**
 * Has states taken apart on a thread of its own. One request at a time has its turn, and only then are its states read, so
 * that no more of them are held in memory than one request needs. The thread is started when it is first needed.
 */
export class SnapshotWorker {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | null = null;
  #count = 0;
  #turn: Promise<void> = Promise.resolve();
  #inLine = 0;
  #idle: NodeJS.Timeout | null = null;

  /** Does a piece of work when its turn comes; `busy` when too many wait already. */
  async enqueue<T>(work: () => Promise<T>): Promise<T | { readonly type: 'busy' }> {
    if (this.#inLine >= WAITING_MAX) return { type: 'busy' };
    this.#inLine += 1;
    const before = this.#turn;
    const mine = before.then(work);
    this.#turn = mine.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await mine;
    } finally {
      this.#inLine -= 1;
    }
  }

  async runTask(task: SnapshotTask): Promise<SnapshotAnswer> {
    this.#rest(false);
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#count;
    try {
      return await new Promise<SnapshotAnswer>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        worker.postMessage({ id, task } satisfies WorkerRequest);
      });
    } finally {
      this.#waiting.delete(id);
      this.#rest(this.#waiting.size === 0);
    }
  }

  /** Ends the thread; what it had not answered fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#rest(false);
    await this.#worker?.terminate();
  }

  #start(): Worker {
    // The built file, also where a test runner runs the sources: a thread does not inherit the runner's way to read them.
    const path = createRequire(import.meta.url).resolve('#content-thread');
    const worker = new Worker(path, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MEBIBYTES_MAX } });
    worker.unref();
    worker.on('message', ({ id, answer }: Done) => this.#waiting.get(id)?.resolve(answer));
    worker.on('error', (fault) => this.#ended(worker, fault));
    worker.on('exit', () => this.#ended(worker, new Error('the thread ended before it had answered')));
    return worker;
  }

  #ended(worker: Worker, fault: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const cause = fault instanceof Error ? fault : new Error(String(fault));
    for (const { reject } of this.#waiting.values()) reject(cause);
  }

  #rest(idle: boolean): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = idle ? setTimeout(() => this.#retire(), IDLE_MS).unref() : null;
  }

  #retire(): void {
    const worker = this.#worker;
    // Whoever comes while it ends gets a new one.
    this.#worker = null;
    void worker?.terminate();
  }
}
