import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, StoredFigures } from '../ports/engine.ts';

/** Figures are no older than this, or a hundred times as old as counting takes. */
const LIFE_MIN: Milliseconds = 30_000;
const LIFE_OF_EFFORT = 100;

/** Counts what is kept, so seldom that counting costs one hundredth of the time at most. */
export class StoredCensus {
  readonly #engine: Pick<Engine, 'figures'>;
  readonly #clock: Pick<Clock, 'now'>;
  #figures: Promise<StoredFigures> | null = null;
  #until: Milliseconds = Infinity;

  constructor(engine: Pick<Engine, 'figures'>, clock: Pick<Clock, 'now'>) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** @throws EngineFault when the engine cannot be asked */
  figures(): Promise<StoredFigures> {
    if (this.#figures !== null && this.#clock.now() < this.#until) return this.#figures;
    const begun = this.#clock.now();
    this.#until = Infinity;
    const figures = this.#engine.figures();
    this.#figures = figures;
    // A count that failed is not kept.
    figures.catch(() => (this.#figures = null));
    const timed = figures.finally(() => {
      const effort = this.#clock.now() - begun;
      this.#until = begun + Math.max(LIFE_MIN, LIFE_OF_EFFORT * effort);
    });
    timed.catch(() => undefined);
    return figures;
  }
}
