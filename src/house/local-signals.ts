import { Listeners } from '../ports/listeners.ts';
import type { Log } from '../ports/log.ts';
import type { Signal, Signals } from '../ports/signals.ts';

/** Signals of a house that is one process: told at once, to all who listen. */
export class LocalSignals implements Signals {
  readonly prompt = true;
  readonly #listeners: Listeners<[Signal]>;

  constructor(log: Log) {
    this.#listeners = new Listeners('signal', log);
  }

  publish(signal: Signal): void {
    this.#listeners.tell(signal);
  }

  subscribe(listener: (signal: Signal) => void): () => void {
    return this.#listeners.add(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
  }
}
