import type { Instant, Milliseconds } from '../../../core/instant.ts';

/** An answer that took longer says too little of the time. */
const ROUND_TRIP_MS_MAX: Milliseconds = 2_000;

/** The database's clock, as it can be told without asking: clocks of nodes decide nothing, and may be wrong. */
export class DatabaseTime {
  readonly #monotonic: () => Milliseconds;
  /** What the database's clock says when ours says 0; null until it was asked. */
  #ahead: Milliseconds | null = null;

  /** @param monotonic a clock that never goes back */
  constructor(monotonic: () => Milliseconds) {
    this.#monotonic = monotonic;
  }

  /** null until the database was asked. */
  get now(): Instant | null {
    return this.#ahead === null ? null : this.#monotonic() + this.#ahead;
  }

  /** Asks for the time, and learns from the answer. */
  async ask(query: () => Promise<Instant>): Promise<void> {
    const asked = this.#monotonic();
    const at = await query();
    const answered = this.#monotonic();
    if (this.#ahead !== null && answered - asked > ROUND_TRIP_MS_MAX) return;
    this.#ahead = at - (asked + answered) / 2;
  }

  /** Another server may answer next. */
  forget(): void {
    this.#ahead = null;
  }
}
