import type { Instant, Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import { NO_USAGE, type Usage } from './executors/usage.ts';
import type { Executor, RunningWork, Work, WorkEnd } from './executors/executor.ts';

/** How long a program has to end in order once it was told to stop. */
const GRACE: Milliseconds = 120_000;

/** The programs of one phase, one after the other, and whatever ends them before their time. */
export class PhaseControl {
  readonly #executor: Executor;
  readonly #clock: Clock;
  #running: RunningWork | null = null;
  #isStopped = false;
  #isKilled = false;
  #reason: string | null = null;
  #cancels: (() => void)[] = [];
  #isOver = false;

  constructor(executor: Executor, clock: Clock) {
    this.#executor = executor;
    this.#clock = clock;
  }

  get stopped(): boolean {
    return this.#isStopped;
  }

  /** Why the phase was ended, where nobody asked for it. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Asks what is at work to end in order, and ends it by force after a while. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#running?.stop();
    this.after(GRACE, () => this.kill());
  }

  /** Ends what is at work at once. */
  kill(): void {
    this.#isStopped = true;
    this.#isKilled = true;
    this.#running?.kill();
  }

  /** Ends it because of a limit. @param force whether at once */
  limit(reason: string, force: boolean): void {
    this.#reason ??= reason;
    if (force) this.kill();
    else this.stop();
  }

  /** Runs a program to its end. Once the phase was stopped, none is begun. */
  async run(work: Work): Promise<WorkEnd> {
    if (this.#isStopped) return { code: null, problem: null };
    const running = this.#executor.start(work);
    this.#running = running;
    const end = await running.end;
    this.#running = null;
    if (this.#isKilled) running.kill();
    return end;
  }

  now(): Instant {
    return this.#clock.now();
  }

  /** What is at work uses now. */
  usage(): Promise<Usage> {
    return this.#running?.usage() ?? Promise.resolve(NO_USAGE);
  }

  /** Does something after a while, unless the phase is over by then. */
  after(delay: Milliseconds, callback: () => void): void {
    if (!this.#isOver) this.#cancels.push(this.#clock.after(delay, callback));
  }

  /** The phase is over. */
  close(): void {
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
  }
}
