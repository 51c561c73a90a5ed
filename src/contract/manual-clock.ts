import type { Instant, Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';

/** A clock that stands still until it is told to move, and then calls back what has become due, in order. */
export class ManualClock implements Clock {
  #now: Instant;
  readonly #timers = new Set<{ readonly due: Instant; readonly callback: () => void }>();

  constructor(start: Instant = 1_700_000_000_000) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  after(delay: Milliseconds, callback: () => void): () => void {
    const timer = { due: this.#now + delay, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  advance(by: Milliseconds): void {
    const until = this.#now + by;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = until;
  }
}
