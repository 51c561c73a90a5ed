import { setImmediate } from 'node:timers/promises';
import { formatAddress, isAddress, parseAddress, type Address } from '../../core/address.ts';
import { allTerms } from '../../core/snapshot/contents.ts';
import type { Milliseconds } from '../../core/instant.ts';
import type { Version } from '../../core/world.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContentReader } from '../../ports/content-reader.ts';
import type { ChangeRecord, Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { FEED_PAGE, type Feed, type Following } from '../feed.ts';
import type { Records } from '../records/records.ts';
import type { StateBodyReader } from '../states/body-reader.ts';
import { INDEX_RECORD, IndexKey, type IndexState } from './index-key.ts';
import { sealRow, type IndexedState } from './indexed-state.ts';

/** How often it is looked whether this node is to keep the index, and how long one does that says so. */
const LOOK: Milliseconds = 5_000;
const TENURE: Milliseconds = 20_000;
const FIRST: Milliseconds = 500;
/** States that are taken up in one go while the index is made. */
const PAGE = 50;
/** So much longer than it worked it rests, so that it takes a small part of a machine that has other things to do. */
const REST_FACTOR = 2;
const REST_MAX: Milliseconds = 1_000;
/** After what had changed was taken up, it waits so long for more: a state that changes again and again is taken up once. */
const LULL: Milliseconds = 250;
/** States whose change is remembered before they are taken up. */
const CHANGED_MAX = 10_000;
/** What changes what a state says, or whether it is there. */
const CHANGING: ReadonlySet<string> = new Set(['write', 'restore', 'delete', 'undelete', 'purge']);

const NOTHING = { resources: [], more: 0, sources: [], reads: [] };

/**
 * Keeps the index: makes it where there is none, and follows the feed of changes. One node does at a time. What it has done and
 * not yet noted is done again after a restart, which changes nothing.
 */
export class Indexer {
  readonly #engine: Engine;
  readonly #records: Records<IndexState>;
  readonly #sealer: Sealer;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #feed: Feed;
  readonly #bodies: StateBodyReader;
  readonly #reader: ContentReader;
  readonly #node: string;
  #following: Following | null = null;
  #position = 0;
  #stored = 0;
  #cancel: () => void = () => undefined;
  readonly #rests = new Set<() => void>();
  /** What has changed and is not taken up yet, by name. */
  readonly #changed = new Map<string, Address>();
  #atWork = 0;
  #work: Promise<void> = Promise.resolve();
  #closed = false;
  /** It is to be made anew. */
  #isStale = false;

  constructor(options: {
    engine: Engine;
    records: Records<IndexState>;
    sealer: Sealer;
    clock: Clock;
    log: Log;
    feed: Feed;
    bodies: StateBodyReader;
    reader: ContentReader;
    node: string;
  }) {
    this.#engine = options.engine;
    this.#records = options.records;
    this.#sealer = options.sealer;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#feed = options.feed;
    this.#bodies = options.bodies;
    this.#reader = options.reader;
    this.#node = options.node;
  }

  /** Begins after a moment: a house that has just been opened has other things to do. */
  start(): void {
    this.#again(FIRST);
  }

  #again(pause: Milliseconds): void {
    if (this.#closed) return;
    this.#cancel = this.#clock.after(pause, () => {
      this.#work = this.#turn();
    });
  }

  async #turn(): Promise<void> {
    try {
      await this.#look();
    } catch (fault) {
      if (this.#closed) return;
      this.#log.warn('the index of states could not be kept; it is tried again', { fault: String(fault) });
    }
    this.#again(LOOK);
  }

  /** Has the whole index made anew, by whichever node keeps it, within some seconds. */
  async renew(): Promise<void> {
    await this.#records.update(null, INDEX_RECORD, (before) =>
      before === null ? null : { ...before, form: 0 },
    );
    this.#isStale = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    this.#following?.close();
    // What is being read, or rests, is not waited for.
    await this.#reader[Symbol.asyncDispose]();
    for (const end of this.#rests) end();
    await this.#work;
    if (this.#following !== null && this.#stored !== this.#position) await this.#note();
  }

  async #look(): Promise<void> {
    const now = this.#clock.now();
    const before = await this.#records.one(INDEX_RECORD);
    if (before !== null && before.node !== this.#node && before.until > now && this.#engine.traits.shared) {
      this.#stop();
      return;
    }
    const isMine = before?.node === this.#node && this.#following !== null;
    const isGood = before !== null && IndexKey.open(this.#sealer, before) !== null;
    if (isMine && isGood && before.builtTo === null) {
      if (this.#engine.traits.shared || this.#stored !== this.#position) await this.#note();
      return;
    }
    this.#stop();
    const begun = isGood ? { ...before, node: this.#node, until: now + TENURE } : await this.#begin(now);
    const mine = await this.#records.update(null, INDEX_RECORD, (stored) =>
      stored === null || stored.node === (before?.node ?? '') || stored.until <= now ? begun : stored,
    );
    // What is followed from now on would be closed by nobody.
    if (this.#closed || mine?.node !== this.#node) return;
    const key = IndexKey.open(this.#sealer, mine);
    if (key === null) return;
    this.#position = this.#stored = mine.position;
    this.#isStale = false;
    this.#following = this.#feed.follow(mine.position, (records, position, pruned) =>
      this.#follow(key, records, position, pruned),
    );
    if (mine.builtTo !== null) await this.#build(key, mine.builtTo);
  }

  /** An empty index. */
  async #begin(now: number): Promise<IndexState> {
    const { position } = await this.#engine.changes(null, 1);
    await this.#engine.apply([{ type: 'drop-index', names: null }]);
    return { ...IndexKey.make(this.#sealer), position, builtTo: '', node: this.#node, until: now + TENURE };
  }

  async #build(key: IndexKey, from: string): Promise<void> {
    const begun = parseAddress(from);
    let after = isAddress(begun) ? begun : null;
    let notedAt = this.#clock.now();
    for (;;) {
      const page = await this.#engine.states({ limit: PAGE, ...(after === null ? {} : { after }) });
      for (const { address } of page) {
        if (this.#closed || this.#isStale) return;
        await this.#restingAfter(() => this.#take(key, address));
        if (this.#closed) return;
        after = address;
        if (this.#clock.now() - notedAt < LOOK) continue;
        notedAt = this.#clock.now();
        if (!(await this.#note({ builtTo: formatAddress(address) }))) return;
      }
      if (page.length < PAGE) break;
    }
    if (!this.#closed) await this.#note({ builtTo: null });
  }

  async #follow(
    key: IndexKey,
    records: readonly ChangeRecord[],
    position: number,
    pruned: boolean,
  ): Promise<void> {
    for (const { note, address } of records) {
      if (CHANGING.has(note.action)) this.#changed.set(formatAddress(address), address);
    }
    // What was forgotten may have changed any state.
    if (pruned) await this.renew();
    if (records.length === FEED_PAGE && this.#changed.size < CHANGED_MAX) {
      // What comes next may be of the same states.
      await setImmediate();
      return;
    }
    const began = performance.now();
    const { size } = this.#changed;
    for (const [name, address] of this.#changed) {
      if (this.#closed) return;
      if (size === 1) await this.#takeNewer(key, address);
      else await this.#restingAfter(() => this.#takeNewer(key, address));
      this.#changed.delete(name);
    }
    if (this.#closed) return;
    this.#position = position;
    if (size > 0) await this.#rest(size === 1 ? Math.max(LULL, restAfter(began)) : LULL);
  }

  /** The same where that is not done yet: after a restart one is told of what is in the index already. */
  async #takeNewer(key: IndexKey, address: Address): Promise<void> {
    const name = formatAddress(address);
    const head = await this.#engine.version(address, null);
    const { marks } = await this.#engine.indexed({ words: [], prefix: name, limit: 1 });
    const [mark] = marks;
    if (mark?.name === name && mark.version === head?.number && mark.at === head.at) return;
    await this.#put(key, name, head);
  }

  async #take(key: IndexKey, address: Address): Promise<void> {
    await this.#put(key, formatAddress(address), await this.#engine.version(address, null));
  }

  /** Puts a state as it is now into the index, or takes it out. */
  async #put(key: IndexKey, name: string, head: Version | null): Promise<void> {
    if (head === null) {
      await this.#engine.apply([{ type: 'drop-index', names: [name] }]);
      return;
    }
    const state = await this.#read(head);
    // What was superseded meanwhile comes once more.
    if (state === null) return;
    const words = [
      ...allTerms(state).map((term) => key.word('term', term)),
      ...state.reads.flatMap((read) => [key.word('reads', read)]),
      ...(state.reads.length === 0 ? [] : [key.word('reads', '')]),
      key.word('writer', state.writer),
      ...(state.terraformVersion === '' ? [] : [key.word('terraform', state.terraformVersion)]),
    ];
    const row = await sealRow(this.#sealer, { name, version: head.number, at: head.at }, state);
    await this.#engine.apply([{ type: 'put-index', row, words }]);
  }

  async #read(head: Version): Promise<IndexedState | null> {
    const about = { terraformVersion: head.terraformVersion, writer: head.subject };
    if (head.encrypted) return { ...NOTHING, ...about, unread: 'encrypted' };
    if (head.size > this.#reader.bytesMax) return { ...NOTHING, ...about, unread: 'too-large' };
    try {
      const bytes = await this.#bodies.whole(head);
      if (bytes === null) return null;
      const read = await this.#reader.read(bytes);
      if (read.type === 'unreadable') return { ...NOTHING, ...about, unread: read.why };
      return { ...read.contents, ...about, reads: read.reads, unread: null };
    } catch (fault) {
      // It comes again after the next start, since it is not noted as done.
      if (this.#closed) return null;
      // One state that is damaged, or that no thread can take apart, must not keep the others out.
      await this.#engine.check();
      this.#log.warn('a state could not be read for the index', { fault: String(fault) });
      return { ...NOTHING, ...about, unread: 'unreadable' };
    }
  }

  /** Notes how far it is, and that this node goes on. @returns whether it may: another one may have taken over */
  async #note(done: Partial<Pick<IndexState, 'builtTo'>> = {}): Promise<boolean> {
    const position = this.#position;
    const until = this.#clock.now() + TENURE;
    const stored = await this.#records.update(null, INDEX_RECORD, (before) =>
      before?.node === this.#node ? { ...before, position, until, ...done } : before,
    );
    if (stored?.node !== this.#node) {
      this.#stop();
      return false;
    }
    this.#stored = position;
    return true;
  }

  #stop(): void {
    this.#following?.close();
    this.#following = null;
  }

  /** Whether it is at work on many states, so that there is more in memory than in the end. */
  get isWorking(): boolean {
    return this.#atWork > 0;
  }

  async #restingAfter(work: () => Promise<void>): Promise<void> {
    this.#atWork += 1;
    try {
      const began = performance.now();
      await work();
      await this.#rest(restAfter(began));
    } finally {
      this.#atWork -= 1;
    }
  }

  async #rest(time: Milliseconds): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        this.#rests.delete(end);
        resolve();
      };
      const cancel = this.#clock.after(time, end);
      this.#rests.add(end);
    });
  }
}

/** How long it rests after work that began then. */
function restAfter(began: number): Milliseconds {
  return Math.min(REST_MAX, REST_FACTOR * (performance.now() - began));
}
