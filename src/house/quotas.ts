import type { Address } from '../core/address.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import type { OverQuota } from '../core/outcome.ts';
import { excessOf, QUOTA_OF, sumOf, type Usage } from '../core/quota.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/engine.ts';
import type { Log } from '../ports/log.ts';
import type { Caller } from './caller.ts';
import type { CommandExecutor } from './executor.ts';
import type { Projects } from './projects.ts';
import { REFRESH_MS } from './shared-run.ts';

/** Projects whose usage is remembered for lock requests. */
const REMEMBERED_MAX = 10_000;
/** How often a project that is above its quota is written to the log. */
const WARNED_EVERY: Milliseconds = 10 * 60 * 1_000;

/**
 * What projects may keep. The rules hold a write against it in its transaction; a lock at an address without a state is held
 * against what was kept up to two seconds ago, so that an apply learns of it before it works.
 */
export class Quotas {
  readonly #engine: Pick<Engine, 'usage' | 'world'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #projects: Pick<Projects, 'termsOf'>;
  readonly #log: Log;
  readonly #usage = new Map<string, { readonly at: Instant; readonly usage: Usage }>();
  readonly #warned = new Map<string, Instant>();

  constructor(options: {
    engine: Pick<Engine, 'usage' | 'world'>;
    clock: Pick<Clock, 'now'>;
    projects: Pick<Projects, 'termsOf'>;
    log: Log;
  }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#projects = options.projects;
    this.#log = options.log;
  }

  /** Why a lock is not granted where there is no state yet; null if it may be, or its asker holds it already. */
  async stopsLock(
    { identity: { subject } }: Caller,
    address: Address,
    { lockId }: { readonly lockId: string },
  ): Promise<OverQuota | null> {
    const { project } = address;
    const { limits } = await this.#projects.termsOf(project);
    const adds = { states: 1, versions: 1, bytes: 1 };
    const excess = excessOf(await this.#usageOf(project), adds, limits, { overdraft: false });
    if (excess === null) return null;
    const { record, holders } = await this.#engine.world(address);
    const isHeld = holders.some((holder) => holder.lockId === lockId && holder.subject === subject);
    return record.head !== null || isHeld ? null : { type: 'over-quota', project, ...excess };
  }

  /** Counts along with what this node stores, and says in the log what is above its quota. @returns a function that ends it */
  follow(executor: CommandExecutor): () => void {
    return executor.listen(({ address: { project } }, { outcome }) => {
      if (outcome.type === 'purged') this.#usage.delete(project);
      if (outcome.type !== 'stored' || outcome.repeat) return;
      const known = this.#usage.get(project);
      const { number, size } = outcome.version;
      const added = { states: number === 1 ? 1 : 0, versions: 1, bytes: size };
      if (known !== undefined) this.#usage.set(project, { ...known, usage: sumOf(known.usage, added) });
      if (outcome.above === undefined) return;
      const now = this.#clock.now();
      if (now - (this.#warned.get(project) ?? -Infinity) < WARNED_EVERY) return;
      if (this.#warned.size >= REMEMBERED_MAX) this.#warned.clear();
      this.#warned.set(project, now);
      this.#log.warn('a project is above its quota: states that are there may still be written for a while', {
        project,
        quota: QUOTA_OF[outcome.above],
      });
    });
  }

  async #usageOf(project: string): Promise<Usage> {
    const now = this.#clock.now();
    const known = this.#usage.get(project);
    if (known !== undefined && now - known.at <= REFRESH_MS) return known.usage;
    const usage = await this.#engine.usage(project);
    if (this.#usage.size >= REMEMBERED_MAX) this.#usage.clear();
    this.#usage.set(project, { at: now, usage });
    return usage;
  }
}
