import { setImmediate } from 'node:timers/promises';

/**
 * Lets long reads go on one at a time, each with one piece in a turn of the event loop, in the order of asking: however many there
 * are, what else waits is done between two pieces.
 */
export class Pieces {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves when the next piece may be done. */
  async pause(): Promise<void> {
    const mine = this.#last.then(() => setImmediate());
    this.#last = mine;
    await mine;
  }
}
