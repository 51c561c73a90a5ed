import { Counter, Histogram, type Metric } from 'prom-client';
import type { BodyStore, ObjectPage } from '../../ports/body-store.ts';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];
const NOWHERE = { registers: [] };

/** A body store of which it is counted what it does. */
export class MeasuredStore implements BodyStore {
  readonly place: string;
  readonly #store: BodyStore;
  readonly #seconds = new Histogram({
    ...NOWHERE,
    name: 'statehouse_body_store_duration_seconds',
    help: 'Duration of what was asked of the body store, by operation and whether it was answered.',
    labelNames: ['operation', 'outcome'],
    buckets: SECONDS,
  });
  readonly #bytes = new Counter({
    ...NOWHERE,
    name: 'statehouse_body_store_bytes_total',
    help: 'Bytes of states, as they are encrypted, that went to the body store (put) and came from it (get).',
    labelNames: ['operation'],
  });
  #failing = false;

  constructor(store: BodyStore) {
    this.place = store.place;
    this.#store = store;
  }

  /** Whether it did not answer the last time that it was asked. */
  get isFailing(): boolean {
    return this.#failing;
  }

  get metrics(): readonly Metric[] {
    return [this.#seconds, this.#bytes];
  }

  async put(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    await this.#timed('put', () => this.#store.put(name, pieces));
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    this.#bytes.inc({ operation: 'put' }, bytes);
  }

  async get(name: string, from: number, length: number): Promise<Uint8Array | null> {
    const bytes = await this.#timed('get', () => this.#store.get(name, from, length));
    this.#bytes.inc({ operation: 'get' }, bytes?.length ?? 0);
    return bytes;
  }

  delete(name: string): Promise<void> {
    return this.#timed('delete', () => this.#store.delete(name));
  }

  list(from: string | null): Promise<ObjectPage> {
    return this.#timed('list', () => this.#store.list(from));
  }

  async #timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    let outcome = 'failed';
    try {
      const answer = await work();
      outcome = 'answered';
      return answer;
    } finally {
      this.#failing = outcome === 'failed';
      this.#seconds.observe({ operation, outcome }, (performance.now() - began) / 1_000);
    }
  }
}
