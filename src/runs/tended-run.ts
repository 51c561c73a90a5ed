import type { Instant } from '../core/instant.ts';
import { isFinal } from '../core/runs/status.ts';
import type { PhaseControl } from './control.ts';
import type { Run } from './run-book.ts';

/** A run that this node looks after: what it waits for, and what is at work for it. */
export class TendedRun {
  readonly id: string;
  /** When this node began to look after it. */
  since: Instant = 0;
  /** The phase that is at work. */
  control: PhaseControl | null = null;
  #status: Run['status'];
  #changed = new AbortController();
  #isLogRead = false;
  #readers: (() => void)[] = [];

  constructor({ id, status }: Run) {
    this.id = id;
    this.#status = status;
  }

  /** Aborted when the run's status changes: what was begun for the one before is of no use. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  /** Takes note of the run as it is now. */
  saw(run: Run): void {
    if (run.asked.cancel !== undefined) this.control?.stop();
    if (isFinal(run)) this.control?.kill();
    if (run.status === this.#status) return;
    this.#status = run.status;
    this.wake();
  }

  /** Ends whatever is waited for. */
  wake(): void {
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Somebody has read the log of the plan to its end. */
  logRead(): void {
    this.#isLogRead = true;
  }

  /** Somebody has read the run; after the end of the log, that is what an apply without a question waits for. */
  runRead(): void {
    if (!this.#isLogRead) return;
    for (const reader of this.#readers.splice(0)) reader();
  }

  /** Calls back once somebody has read the run after the plan's log. */
  onceRead(callback: () => void): void {
    this.#readers.push(callback);
  }
}
