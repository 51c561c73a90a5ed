import type { Milliseconds } from '../core/instant.ts';
import { isAtWork } from '../core/runs/status.ts';
import type { Clock } from '../ports/clock.ts';
import type { AgentPools } from './agents/pools.ts';
import type { RunBook } from './run-book.ts';

/** Figures are no older than this, however often they are asked for. */
const FIGURES_LIFE: Milliseconds = 10_000;

/** What is counted of a pool's agents. */
export interface PoolFigures {
  /** Agents that live. */
  readonly connected: number;
  /** Agents that execute something. */
  readonly busy: number;
  /** Phases that wait for an agent. */
  readonly waiting: number;
}

/** The runs of the server that are not over, and its agents, in a few numbers. */
export interface RunFigures {
  /** Runs that wait for the lock of their workspace. */
  readonly pending: number;
  /** Runs that are ready, and wait to be executed. */
  readonly queued: number;
  readonly executing: number;
  /** Runs whose plan waits for somebody to confirm it. */
  readonly planned: number;
  /** By the id of the pool: those that have agents, or runs that wait for some. */
  readonly pools: ReadonlyMap<string, PoolFigures>;
}

const NO_POOL: PoolFigures = { connected: 0, busy: 0, waiting: 0 };
const QUEUED: ReadonlySet<string> = new Set(['plan_queued', 'apply_queued']);

/** Looks at the runs and agents of the server, at most once in ten seconds: whoever asks often costs no more. */
export class RunCensus {
  readonly #book: Pick<RunBook, 'open'>;
  readonly #pools: Pick<AgentPools, 'everywhere'>;
  readonly #clock: Clock;
  #last: { readonly at: Milliseconds; readonly figures: Promise<RunFigures> } | null = null;

  constructor(options: { book: Pick<RunBook, 'open'>; pools: Pick<AgentPools, 'everywhere'>; clock: Clock }) {
    this.#book = options.book;
    this.#pools = options.pools;
    this.#clock = options.clock;
  }

  figures(): Promise<RunFigures> {
    const now = this.#clock.now();
    if (this.#last !== null && now - this.#last.at < FIGURES_LIFE) return this.#last.figures;
    const figures = this.#count();
    this.#last = { at: now, figures };
    // A look that failed is not kept.
    figures.catch(() => (this.#last = null));
    return figures;
  }

  async #count(): Promise<RunFigures> {
    const runs = await this.#book.open();
    const busy = new Set(runs.flatMap(({ job }) => (job?.agent === undefined ? [] : [job.agent.id])));
    const pools = new Map<string, PoolFigures>();
    const count = (pool: string, what: keyof PoolFigures): void => {
      const before = pools.get(pool) ?? NO_POOL;
      pools.set(pool, { ...before, [what]: before[what] + 1 });
    };
    for (const { id, pool, isGone } of await this.#pools.everywhere()) {
      if (!isGone) count(pool, 'connected');
      if (busy.has(id)) count(pool, 'busy');
    }
    for (const { pool, status } of runs) if (pool !== null && QUEUED.has(status)) count(pool, 'waiting');
    const those = (is: (run: (typeof runs)[number]) => boolean): number => runs.filter(is).length;
    return {
      pending: those(({ status }) => status === 'pending' || status === 'confirmed'),
      queued: those(({ status }) => QUEUED.has(status)),
      executing: those(isAtWork),
      planned: those(({ status }) => status === 'planned'),
      pools,
    };
  }
}
