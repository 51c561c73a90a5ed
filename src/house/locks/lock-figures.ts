import { isPlace } from '../../core/decide.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';

/** Locks that are looked at for the figures: a server that has more of them at once counts no further. */
const LOCKS_COUNTED_MAX = 1_000;
/** Figures are no older than this, however often they are asked for. */
const FIGURES_LIFE: Milliseconds = 10_000;

/** The locks of the whole house in a few numbers. */
export interface LockFigures {
  /** Addresses whose lock is held, up to 1,000. */
  readonly held: number;
  /** How long the oldest of these holds lasts; 0 where there is none. */
  readonly oldest: Milliseconds;
  /** Waiters for these locks whose request is held open. */
  readonly parked: number;
  /** Waiters for these locks that sleep between two requests. */
  readonly away: number;
}

/** Looks at the locks of the house, at most once in ten seconds: whoever asks often costs no more. */
export class LockCensus {
  readonly #engine: Engine;
  #last: { readonly at: Milliseconds; readonly figures: Promise<LockFigures> } | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @param now by this node's clock. @throws EngineFault when the engine cannot be asked */
  figures(now: Instant): Promise<LockFigures> {
    if (this.#last !== null && now - this.#last.at < FIGURES_LIFE) return this.#last.figures;
    const figures = this.#count();
    this.#last = { at: now, figures };
    // A look that failed is not kept.
    figures.catch(() => (this.#last = null));
    return figures;
  }

  async #count(): Promise<LockFigures> {
    const states = await this.#engine.states({ locked: true, lines: true, limit: LOCKS_COUNTED_MAX });
    const now = await this.#engine.now();
    const worlds = states.map(({ world }) => world);
    const since = worlds.flatMap(({ holders }) => holders.map((holder) => holder.since));
    const places = worlds.flatMap(({ line }) => line.filter(isPlace));
    const parked = places.filter(({ seat }) => seat !== null).length;
    const oldest = since.reduce((least, one) => Math.min(least, one), now);
    return { held: worlds.length, oldest: now - oldest, parked, away: places.length - parked };
  }
}
