import type { Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { ChangeRecord, Changes, Engine } from '../ports/engine.ts';
import type { Log } from '../ports/log.ts';
import type { Signals } from '../ports/signals.ts';
import { SharedRun } from './shared-run.ts';

/** How often it is looked for changes of which no signal came. */
const POLL_MS: Milliseconds = 2_000;
/** Records that are read at a time: where a listener is told of so many, it is told once more at once, of none if there are no more. */
export const FEED_PAGE = 500;

/**
 * Told of changes in their order, and how far they go: `position` is what to go on after. Told of the same ones again when it
 * throws. Told of none, with the position alone, where nothing of what was looked through is a change. `pruned`: changes before
 * the first of these may have been forgotten.
 */
export type ChangeListener = (
  records: readonly ChangeRecord[],
  position: number,
  pruned: boolean,
) => void | Promise<void>;

/** Follows what is stored about addresses, by whichever node: at once where a signal says so, else within seconds. */
export class Feed {
  readonly #engine: Engine;
  readonly #signals: Signals;
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(options: { engine: Engine; signals: Signals; clock: Clock; log: Log }) {
    this.#engine = options.engine;
    this.#signals = options.signals;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** A page of what was stored after a position. Whether the reader may see it is settled by whoever calls this. */
  async read(after: number, limit: number): Promise<Changes> {
    return this.#engine.changes(after, limit);
  }

  /**
   * Tells a listener of every change after a position, at least once, until it is closed.
   * @param after null to begin with what is stored from now on
   */
  follow(after: number | null, listener: ChangeListener): Following {
    const read: Engine['changes'] = (from, limit) => this.#engine.changes(from, limit);
    return new Following({
      read,
      after,
      listener,
      signals: this.#signals,
      clock: this.#clock,
      log: this.#log,
    });
  }
}

/** One listener's way through the feed. */
export class Following {
  readonly #read: Engine['changes'];
  readonly #listener: ChangeListener;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #run = new SharedRun(() => this.#goOn());
  readonly #unsubscribe: () => void;
  #position: number | null;
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(options: {
    read: Engine['changes'];
    after: number | null;
    listener: ChangeListener;
    signals: Signals;
    clock: Clock;
    log: Log;
  }) {
    this.#read = options.read;
    this.#position = options.after;
    this.#listener = options.listener;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#unsubscribe = options.signals.subscribe(() => this.#wake());
    this.#look();
  }

  /** Resolves once the listener was told of all that had been stored before. @throws what the engine or it threw */
  caughtUp(): Promise<void> {
    return this.#run.run();
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#cancel();
  }

  #wake(): void {
    this.caughtUp().catch((fault: unknown) => {
      this.#log.warn('the feed of changes could not be followed; it is tried again', {
        fault: String(fault),
      });
    });
  }

  #look(): void {
    if (this.#closed) return;
    this.#wake();
    this.#cancel = this.#clock.after(POLL_MS, () => this.#look());
  }

  async #goOn(): Promise<void> {
    let wasFull = false;
    while (!this.#closed) {
      const before = this.#position;
      const { records, position, pruned = false } = await this.#read(before, FEED_PAGE);
      if (this.#closed) return;
      if (position !== before || wasFull) await this.#listener(records, position, pruned);
      this.#position = position;
      wasFull = records.length >= FEED_PAGE;
      if (before !== null && !wasFull) return;
    }
  }
}
