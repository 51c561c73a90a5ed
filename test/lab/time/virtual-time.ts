import type { Instant, Milliseconds } from '../../../src/core/instant.ts';
import { Agenda } from '../../../bench/line/agenda.ts';

/** What the clocks of a simulation show when it begins. */
const START: Instant = 1_700_000_000_000;

/** The time of a simulation: it stands still while anybody works, and jumps to whatever happens next. */
export class VirtualTime {
  readonly #agenda = new Agenda();
  #steps = 0;

  /** Milliseconds since the simulation began. */
  get now(): Milliseconds {
    return this.#agenda.now;
  }

  /** What a clock that is right shows. */
  get instant(): Instant {
    return START + Math.floor(this.#agenda.now);
  }

  /** How many things have happened. */
  get steps(): number {
    return this.#steps;
  }

  /** @returns cancels it */
  after(delay: Milliseconds, act: () => void): () => void {
    return this.#agenda.after(Math.max(0, delay), act);
  }

  /** Has one thing after the other happen, each with all that follows at once, until it is over or a time has come. */
  async run(end: Milliseconds, isOver: () => boolean): Promise<void> {
    // What was begun before may not have come to its first wait yet.
    await settled();
    while (!isOver() && this.#agenda.step(end)) {
      this.#steps += 1;
      await settled();
    }
  }
}

/** Lets everything come to rest that needs no time: all promises that are settled have been told of. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
