import type { Milliseconds } from '../../../core/instant.ts';
import type { Log } from '../../../ports/log.ts';
import type { Refusal } from './envelopes.ts';

/** Anyone may make us drop things, so the log hears of it no more often. */
const LOG_MS: Milliseconds = 60_000;

/** Counts what was dropped from the channel, and says so now and then: how many and why, never what. */
export class Dropped {
  readonly #log: Log;
  readonly #now: () => Milliseconds;
  #counts: Record<Refusal, number> = { foreign: 0, repeated: 0, misshapen: 0 };
  #loggedAt = Number.NEGATIVE_INFINITY;

  /** @param now of a clock that never goes back */
  constructor(log: Log, now: () => Milliseconds) {
    this.#log = log;
    this.#now = now;
  }

  add(why: Refusal, count = 1): void {
    this.#counts[why] += count;
    const now = this.#now();
    if (now - this.#loggedAt < LOG_MS) return;
    this.#log.warn('notifications were dropped that no node of this server sent just now', this.#counts);
    this.#counts = { foreign: 0, repeated: 0, misshapen: 0 };
    this.#loggedAt = now;
  }
}
