import type { Clock } from '../ports/clock.ts';

/** Names that are remembered. One that was not heard of for longest is forgotten, and begins with a full bucket again. */
const NAMES_MAX = 10_000;

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Token buckets, one a name: each fills at a rate up to its burst, and every take costs a token.
 * Bounded in memory, whoever asks.
 */
export class TokenBuckets {
  readonly #rate: number;
  readonly #burst: number;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #namesMax: number;
  /** The one that was asked for last stands last. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param rate tokens a second; 0 for no limit
   * @param burst tokens of a full bucket
   */
  constructor(options: { rate: number; burst: number; clock: Pick<Clock, 'now'>; namesMax?: number }) {
    this.#rate = options.rate;
    this.#burst = options.burst;
    this.#clock = options.clock;
    this.#namesMax = options.namesMax ?? NAMES_MAX;
  }

  /** Names that are remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token. @returns null, or in how many seconds there is one where there is none */
  take(name: string): number | null {
    if (this.#rate === 0) return null;
    const now = this.#clock.now();
    const bucket = this.#buckets.get(name) ?? { tokens: this.#burst, at: now };
    const passed = Math.max(0, now - bucket.at) / 1_000;
    bucket.tokens = Math.min(this.#burst, bucket.tokens + passed * this.#rate);
    bucket.at = now;
    this.#buckets.delete(name);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size >= this.#namesMax && oldest !== undefined) this.#buckets.delete(oldest);
    this.#buckets.set(name, bucket);
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#rate;
    bucket.tokens -= 1;
    return null;
  }
}
