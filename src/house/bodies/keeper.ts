import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { BodyStore, GoneObject } from '../../ports/body-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { Records } from '../records/records.ts';
import { BODY_STORE_RECORD, type BodyStoreClaim, type BodyStoreState } from './claim.ts';

/** How often a node looks whether there is something to do. */
const PAUSE: Milliseconds = 10 * 60_000;
const FIRST: Milliseconds = 1_000;
/** How long a node looks after the store if it says nothing more. */
const TENURE: Milliseconds = 3 * PAUSE;
/**
 * A node that takes the store over deletes nothing for so long: if this database is a copy and the other server runs, that one changes
 * the mark meanwhile, and this one sees that the store is not its own.
 */
const QUIET: Milliseconds = 3 * PAUSE;
/** An object that nothing names is left alone for so long: by far longer than a body can be on its way. */
const ORPHAN_AGE: Milliseconds = 24 * 60 * 60_000;
/** How often all objects are looked at. */
const SWEEP_EVERY: Milliseconds = 24 * 60 * 60_000;
/** Objects that are deleted at a time, and in one turn. */
const AT_ONCE = 4;
const DELETED_MAX = 2_000;
const PAGE = 500;
/** What an object with a body is called: nothing else at that place is ever deleted. */
const BODY_NAME = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

/** What the keeper has done since its node began. */
export interface KeeperCounts {
  /** Objects that were deleted because their states were. */
  readonly gone: number;
  /** Objects that were deleted because nothing had ever named them. */
  readonly orphans: number;
}

/**
 * Deletes the objects of a body store that are not needed: those of bodies that were taken away, some days later, so that a backup of
 * the database still finds them; and those of writes that were never completed. One node does, slowly, and never deletes what a row
 * names.
 */
export class BodyKeeper {
  readonly #engine: Engine;
  readonly #store: BodyStore;
  readonly #claim: BodyStoreClaim;
  readonly #records: Records<BodyStoreState>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: string;
  readonly #kept: Milliseconds;
  #since: Instant | null = null;
  #counts: KeeperCounts = { gone: 0, orphans: 0 };
  #work: Promise<void> = Promise.resolve();
  #cancel: () => void = () => undefined;
  #closed = false;

  /** @param options.kept how long the object of a body that was taken away is kept */
  constructor(options: {
    engine: Engine;
    store: BodyStore;
    claim: BodyStoreClaim;
    records: Records<BodyStoreState>;
    clock: Clock;
    log: Log;
    node: string;
    kept: Milliseconds;
  }) {
    this.#engine = options.engine;
    this.#store = options.store;
    this.#claim = options.claim;
    this.#records = options.records;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#node = options.node;
    this.#kept = options.kept;
  }

  get counts(): KeeperCounts {
    return this.#counts;
  }

  start(): void {
    this.#again(FIRST);
  }

  /** Resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await this.#work;
  }

  /** Does what is to be done now. @returns whether there is more */
  async turn(): Promise<boolean> {
    await this.#claim.look();
    if (!(await this.#isMine())) return false;
    this.#since ??= this.#clock.now();
    if (this.#clock.now() - this.#since < QUIET) return false;
    await this.#claim.renew();
    const more = await this.#deleteGone();
    if (!more) await this.#sweepIfDue();
    return more;
  }

  #again(pause: Milliseconds): void {
    if (this.#closed) return;
    this.#cancel = this.#clock.after(pause, () => {
      this.#work = this.turn()
        .catch((fault: unknown) => {
          this.#log.error('the body store could not be looked after; it is tried again', {
            fault: String(fault),
          });
          return false;
        })
        .then((more) => this.#again(more ? FIRST : PAUSE));
    });
  }

  /** Whether this node looks after the store. */
  async #isMine(): Promise<boolean> {
    const now = this.#clock.now();
    const { shared } = this.#engine.traits;
    const stored = await this.#records.update(null, BODY_STORE_RECORD, (before) => {
      if (before === null) return null;
      const isFree = !shared || before.node === this.#node || before.until <= now;
      return isFree ? { ...before, node: this.#node, until: now + TENURE } : before;
    });
    if (stored?.node === this.#node) return true;
    this.#since = null;
    return false;
  }

  async #deleteGone(): Promise<boolean> {
    const before = (await this.#engine.now()) - this.#kept;
    let [done, after] = [0, null as string | null];
    while (done < DELETED_MAX && !this.#closed) {
      const page: readonly GoneObject[] = await this.#engine.goneObjects(after, PAGE);
      const over = page.filter(({ at }) => at <= before).map(({ name }) => name);
      // A name that was given to a body again, as a move of a house does, is no longer gone.
      const named = await this.#named(over);
      if (!(await this.#deleteAll(over.filter((name) => !named.has(name))))) return false;
      if (over.length > 0) await this.#engine.apply([{ type: 'forget-objects', names: over }]);
      this.#counts = { ...this.#counts, gone: this.#counts.gone + over.length - named.size };
      done += over.length;
      after = page.at(-1)?.name ?? null;
      if (page.length < PAGE) return false;
    }
    return !this.#closed;
  }

  async #sweepIfDue(): Promise<void> {
    const now = await this.#engine.now();
    const state = await this.#records.one(BODY_STORE_RECORD);
    if (state === null || (state.sweptAt !== null && now - state.sweptAt < SWEEP_EVERY)) return;
    const orphans = await this.#sweep();
    if (this.#closed) return;
    if (orphans > 0) this.#log.info('objects that no state is in were deleted', { objects: orphans });
    await this.#records.update(null, BODY_STORE_RECORD, (before) =>
      before === null ? null : { ...before, sweptAt: now },
    );
  }

  async #sweep(): Promise<number> {
    const age = Math.max(ORPHAN_AGE, this.#kept);
    let orphans = 0;
    for (let from: string | null = null; !this.#closed;) {
      const page = await this.#store.list(from);
      const old = page.objects
        .filter(({ name, at }) => BODY_NAME.test(name) && at < page.now - age)
        .map(({ name }) => name);
      // Rows first: what leaves them while they are read is noted in the same transaction.
      const named = await this.#named(old);
      const noted = await this.#noted(old);
      const lost = old.filter((name) => !named.has(name) && !noted.has(name));
      if (!(await this.#deleteAll(lost))) return orphans;
      orphans += lost.length;
      this.#counts = { ...this.#counts, orphans: this.#counts.orphans + lost.length };
      from = page.next;
      if (from === null) return orphans;
      // Another node may look after the store by now, or another server have taken it.
      await this.#claim.look();
      if (!(await this.#isMine())) return orphans;
    }
    return orphans;
  }

  /** Which of these objects a body is in. */
  #named(names: readonly string[]): Promise<ReadonlySet<string>> {
    return among(names, (after, limit) => this.#engine.objects(after, limit));
  }

  /** Which of these wait to be deleted. */
  #noted(names: readonly string[]): Promise<ReadonlySet<string>> {
    return among(names, async (after, limit) =>
      (await this.#engine.goneObjects(after, limit)).map(({ name }) => name),
    );
  }

  /** @returns whether all are deleted: where this node closes, they are not */
  async #deleteAll(names: readonly string[]): Promise<boolean> {
    const safe = names.filter((name) => BODY_NAME.test(name));
    for (let at = 0; at < safe.length; at += AT_ONCE) {
      if (this.#closed) return false;
      await Promise.all(safe.slice(at, at + AT_ONCE).map((name) => this.#store.delete(name)));
    }
    return true;
  }
}

/** Those of some names that are among many, which are read in their order from the first of these to the last. */
async function among(
  names: readonly string[],
  page: (after: string | null, limit: number) => Promise<readonly string[]>,
): Promise<ReadonlySet<string>> {
  const wanted = new Set(names.filter((name) => BODY_NAME.test(name)));
  const sorted = [...wanted].sort();
  const last = sorted.at(-1);
  const found = new Set<string>();
  if (last === undefined) return found;
  // Just before the first: names are plain letters, digits and dashes.
  for (let after: string = (sorted[0] as string).slice(0, -1); ;) {
    const some = await page(after, PAGE);
    for (const name of some) if (wanted.has(name)) found.add(name);
    const end = some.at(-1);
    if (end === undefined || some.length < PAGE || end >= last) return found;
    after = end;
  }
}
