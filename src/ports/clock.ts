import type { Instant, Milliseconds } from '../core/instant.ts';

/** Time, as one node sees it. */
export interface Clock {
  now(): Instant;
  /** Calls back once, later; the returned function cancels it. */
  after(delay: Milliseconds, callback: () => void): () => void;
}
