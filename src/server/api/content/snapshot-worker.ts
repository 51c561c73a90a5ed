import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { SnapshotAnswer, SnapshotTask } from './snapshot-task.ts';
import { threadTime } from './thread-time.ts';
import { Turns, type NoTurn } from './turns.ts';

/** Requests that may wait for their turn; none of them holds a state meanwhile. */
const WAITING_MAX = 256;
const WAITING_OF_SUBJECT_MAX = 8;
/**
 * How much time of a processor one request may have of the thread, in milliseconds; the largest states that are shown need a
 * few seconds, however long those take on a busy machine.
 */
const TASK_MS_MAX = 15_000;
/** How much longer than that it may take in all: others wait for their turn. */
const WALL_FACTOR = 8;
/** The longest pause between two looks at the time it has had, and the shortest. */
const LOOK_MS_MAX = 1_000;
const LOOK_MS_MIN = 10;
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

/** What a thread says first. */
interface Started {
  readonly type: 'started';
  /** Where its time can be read; null where the system does not tell it. */
  readonly stat: string | null;
}

/** The task that the thread is at. */
interface Running {
  readonly since: number;
  /** What the thread had had before. */
  readonly spentBefore: number;
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
  readonly #idleMs: number;
  readonly #timeOf: (stat: string) => number | null;
  /** Where the time of the present thread can be read; null where it cannot be, undefined until it has started. */
  #stat: string | null | undefined;
  #running: Running | null = null;
  #worker: Worker | null = null;
  #idle: NodeJS.Timeout | null = null;

  constructor({
    taskMsMax = TASK_MS_MAX,
    idleMs = IDLE_MS,
    timeOf = threadTime,
  }: { taskMsMax?: number; idleMs?: number; timeOf?: (stat: string) => number | null } = {}) {
    this.#idleMs = idleMs;
    this.#taskMsMax = taskMsMax;
    this.#timeOf = timeOf;
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
    let late: NodeJS.Timeout | undefined;
    const look = (): void => {
      const left = this.#timeLeft();
      if (left <= 0) this.#give({ type: 'too-slow', seconds: Math.ceil(this.#taskMsMax / 1_000) });
      else late = setTimeout(look, Math.min(LOOK_MS_MAX, Math.max(LOOK_MS_MIN, left)));
    };
    const leave = (): void => this.#give({ type: 'gone' });
    gone.addEventListener('abort', leave, { once: true });
    try {
      return await new Promise<WorkerAnswer>((resolve, reject) => {
        const spentBefore = this.#timeHad() ?? 0;
        this.#running = { resolve, reject, since: performance.now(), spentBefore };
        worker.postMessage(task);
        late = setTimeout(look, Math.min(LOOK_MS_MAX, this.#taskMsMax));
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
    worker.on('message', (said: SnapshotAnswer | Started) => {
      if (this.#worker !== worker) return;
      if (said.type === 'started') this.#stat = said.stat;
      else this.#running?.resolve(said);
    });
    worker.on('error', (fault) => this.#ended(worker, fault));
    worker.on('exit', () => this.#ended(worker, new Error('the thread ended before it had answered')));
    return worker;
  }

  #ended(worker: Worker, fault: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#stat = undefined;
    this.#running?.reject(fault instanceof Error ? fault : new Error(String(fault)));
  }

  /** How much time of a processor the thread has had; null where that cannot be told. */
  #timeHad(): number | null {
    if (this.#stat === undefined) return 0;
    return this.#stat === null ? null : this.#timeOf(this.#stat);
  }

  /** How much of its time the running task has left, in milliseconds: of a processor's time, where that can be told. */
  #timeLeft(): number {
    if (this.#running === null) return 0;
    const wall = performance.now() - this.#running.since;
    const had = this.#timeHad();
    if (had === null) return this.#taskMsMax - wall;
    const spent = had - this.#running.spentBefore;
    return Math.min(this.#taskMsMax - spent, WALL_FACTOR * this.#taskMsMax - wall);
  }

  /** Answers without the thread, and ends it: nobody waits for what it is at. */
  #give(answer: WorkerAnswer): void {
    this.#retire();
    this.#running?.resolve(answer);
  }

  #rest(idle: boolean): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = idle ? setTimeout(() => this.#retire(), this.#idleMs).unref() : null;
  }

  #retire(): void {
    const worker = this.#worker;
    // Whoever comes while it ends gets a new one.
    this.#worker = null;
    this.#stat = undefined;
    void worker?.terminate();
  }
}
