import { EngineFault } from '../../../ports/engine.ts';

/** Lets a few through at a time, has a bounded number wait, and turns the rest away. */
export class Gate {
  readonly #width: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(width: number, waitingMax: number) {
    this.#width = width;
    this.#waitingMax = waitingMax;
  }

  /** @throws {EngineFault} busy, when too many wait already */
  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#width) {
      this.#inside += 1;
    } else {
      if (this.#waiting.length >= this.#waitingMax) throw tooBusy();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  }
}

export function tooBusy(): EngineFault {
  return new EngineFault('the database has more to do than it can do now', { busy: true });
}
