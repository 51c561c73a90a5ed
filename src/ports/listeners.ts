import type { Log } from './log.ts';

/** Those who are told of something. One that fails stops neither the others nor who tells. */
export class Listeners<T extends readonly unknown[]> {
  readonly #what: string;
  readonly #log: Log;
  readonly #listeners = new Set<(...told: T) => void>();

  /** @param what they are told of, for the log */
  constructor(what: string, log: Log) {
    this.#what = what;
    this.#log = log;
  }

  /** @returns a function that ends it */
  add(listener: (...told: T) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells them all, in the order in which they came. Never throws. */
  tell(...told: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(...told);
      } catch (fault) {
        this.#log.error('a listener failed', { listener: this.#what, fault: String(fault) });
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
