import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';

/** How often it is looked for what need not be kept any more. */
const PAUSE: Milliseconds = 60 * 60 * 1_000;
/** Not at once: a house that has just been opened has other things to do. */
const FIRST: Milliseconds = 60 * 1_000;

/** Has what is too old forgotten, now and then. */
export class Sweep {
  readonly #works: Readonly<Record<string, () => Promise<unknown>>>;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  /** @param works what is to be done, by what it has forgotten */
  constructor(options: { works: Readonly<Record<string, () => Promise<unknown>>>; clock: Clock; log: Log }) {
    this.#works = options.works;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  start(): void {
    this.#after(FIRST);
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  #after(pause: Milliseconds): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(pause, () => {
      this.#running = this.#run().then(() => this.#after(PAUSE));
    });
  }

  async #run(): Promise<void> {
    for (const [what, work] of Object.entries(this.#works)) {
      await work().catch((fault: unknown) => {
        this.#log.warn(`${what} could not be forgotten; it is tried again`, { fault: String(fault) });
      });
    }
  }
}
