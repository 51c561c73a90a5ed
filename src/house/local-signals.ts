import type { Signal, Signals } from '../ports/signals.ts';

/** Signals of a house that is one process: told at once, to all who listen. */
export class LocalSignals implements Signals {
  readonly prompt = true;
  readonly #listeners = new Set<(signal: Signal) => void>();

  publish(signal: Signal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  subscribe(listener: (signal: Signal) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }
}
