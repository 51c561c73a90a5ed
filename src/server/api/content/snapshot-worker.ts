import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { SnapshotAnswer, SnapshotTask } from './snapshot-task.ts';
import { Turns, type NoTurn } from './turns.ts';

/** Requests that may wait for their turn; none of them holds a state meanwhile. */
const WAITING_MAX = 256;
const WAITING_OF_SUBJECT_MAX = 8;
/** How long one request may keep the thread, in milliseconds; the largest states that are shown need a few seconds. */
const TASK_MS_MAX = 15_000;
/** What the thread may use; a state that needs more fails alone. */
const HEAP_MEBIBYTES_MAX = 1_536;
/** The thread ends when it has had nothing to do for so long. */
const IDLE_MS = 30_000;

/** One request, and the client that waits for it. */
export interface Turn {
  readonly subject: string;
  readonly gone: AbortSignal;
}

export type WorkerAnswer = SnapshotAnswer | { readonly type: 'too-slow'; readonly seconds: number } | Gone;
type Gone = Extract<NoTurn, { type: 'gone' }>;

/** The task that the thread is at. */
interface Running {
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (fault: Error) => void;
}

/**
 * Has states taken apart on a thread of its own. One request at a time has its turn, each subject after the other, and only
 * then are its states read, so that no more of them are held in memory than one request needs. The thread is started when it
 * is first needed, and ended when a task takes too long or its client goes away.
 */
export class SnapshotWorker {
  readonly #turns = new Turns({ waitingMax: WAITING_MAX, waitingOfSubjectMax: WAITING_OF_SUBJECT_MAX });
  readonly #taskMsMax: number;
  #running: Running | null = null;
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;

  constructor({ taskMsMax = TASK_MS_MAX }: { taskMsMax?: number } = {}) {
    this.#taskMsMax = taskMsMax;
  }

  /** Does a piece of work when its turn comes. */
  enqueue<T extends object>({ subject, gone }: Turn, work: () => Promise<T>): Promise<T | NoTurn> {
    return this.#turns.take(subject, gone, work);
  }

  /** One task at a time: who is not in its turn must not ask. */
  async runTask(task: SnapshotTask, gone: AbortSignal): Promise<WorkerAnswer> {
    if (gone.aborted) return { type: 'gone' };
    this.#rest(false);
    const worker = (this.#worker ??= this.#start());
    const seconds = Math.ceil(this.#taskMsMax / 1_000);
    const late = setTimeout(() => this.#give({ type: 'too-slow', seconds }), this.#taskMsMax);
    const leave = (): void => this.#give({ type: 'gone' });
    gone.addEventListener('abort', leave, { once: true });
    try {
      return await new Promise<WorkerAnswer>((resolve, reject) => {
        this.#running = { resolve, reject };
        worker.postMessage(task);
      });
    } finally {
      this.#running = null;
      clearTimeout(late);
      gone.removeEventListener('abort', leave);
      this.#rest(true);
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
    worker.on('message', (answer: SnapshotAnswer) => {
      if (this.#worker === worker) this.#running?.resolve(answer);
    });
    worker.on('error', (fault) => this.#ended(worker, fault));
    worker.on('exit', () => this.#ended(worker, new Error('the thread ended before it had answered')));
    return worker;
  }

  #ended(worker: Worker, fault: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#running?.reject(fault instanceof Error ? fault : new Error(String(fault)));
  }

  /** Answers without the thread, and ends it: nobody waits for what it is at. */
  #give(answer: WorkerAnswer): void {
    this.#retire();
    this.#running?.resolve(answer);
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
