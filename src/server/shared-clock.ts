import type { Instant, Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Log } from '../ports/log.ts';

/** A node whose clock is off by more says so. */
export const SKEW_TOLD: Milliseconds = 30_000;
const MEASURE_MS: Milliseconds = 10_000;
/** What a database answers after longer says too little of its time. */
const ROUND_TRIP_MAX: Milliseconds = 2_000;

/**
 * The time of the database that several nodes share, kept by this machine's clock between two measurements: whether a credential
 * has expired is the same on all nodes, however far one's clock is off. On an engine of one node it is the machine's clock.
 */
export class SharedClock implements Clock, Disposable {
  readonly #clock: Clock;
  readonly #engine: Pick<Engine, 'now' | 'traits'>;
  readonly #log: Log;
  #ahead: Milliseconds = 0;
  #isTold = false;
  #cancel: () => void = () => undefined;
  #isOver = false;

  private constructor(options: { clock: Clock; engine: Pick<Engine, 'now' | 'traits'>; log: Log }) {
    this.#clock = options.clock;
    this.#engine = options.engine;
    this.#log = options.log;
  }

  /** @throws EngineFault when the engine cannot say what time it is */
  static async start(options: {
    clock: Clock;
    engine: Pick<Engine, 'now' | 'traits'>;
    log: Log;
  }): Promise<SharedClock> {
    const clock = new SharedClock(options);
    if (!options.engine.traits.shared) return clock;
    await clock.#measure();
    clock.#again();
    return clock;
  }

  now(): Instant {
    return this.#clock.now() - this.#ahead;
  }

  after(delay: Milliseconds, callback: () => void): () => void {
    return this.#clock.after(delay, callback);
  }

  /** How far this machine's clock is ahead of the database's, negative if it is behind. */
  get skew(): Milliseconds {
    return this.#ahead;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#cancel();
  }

  async #measure(): Promise<void> {
    const before = this.#clock.now();
    const there = await this.#engine.now();
    const after = this.#clock.now();
    if (after - before > ROUND_TRIP_MAX || after < before) return;
    this.#ahead = Math.round((before + after) / 2 - there);
    const isOff = Math.abs(this.#ahead) > SKEW_TOLD;
    if (isOff && !this.#isTold) {
      this.#log.warn(
        "the clock of this node is off from the database's, whose time is used: have the machine's clock set, by NTP for example",
        { seconds: Math.round(this.#ahead / 1_000) },
      );
    }
    this.#isTold = isOff;
  }

  #again(): void {
    if (this.#isOver) return;
    this.#cancel = this.#clock.after(MEASURE_MS, () => {
      void this.#measure()
        // A database that is away is the trouble of whoever needs it.
        .catch(() => undefined)
        .then(() => this.#again());
    });
  }
}
