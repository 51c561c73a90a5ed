import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { SealedBody } from '../../core/command.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type Engine,
  EngineFault,
  type Entry,
  type Expected,
  type RecordCommand,
} from '../../ports/engine.ts';
import { noteBy, type Caller } from '../caller.ts';
import { REFRESH_MS, SharedRun } from '../shared-run.ts';
import type { RecordShape } from './shape.ts';

/** How often a change is made again because somebody else changed the record meanwhile: each time, somebody got through. */
const TRIES_MAX = 50;

/** Records that are read at a time where there may be very many: some milliseconds of work. */
const PAGE = 200;

/** Where records are kept, and the clock that says how old a read is. */
export interface RecordOwner {
  readonly engine: Engine;
  readonly clock: Clock;
}

/** A record, and what is stored beside it. */
export interface NamedRecord<T> {
  readonly name: string;
  readonly record: T;
  /** The body that was put with it. */
  readonly bodyId: string | null;
}

/**
 * Records of one kind, each under its name, as their schema types them. A change is compared with what it was made of, in
 * the engine's transaction, so that of two at a time none is lost. Whether a caller may is settled by whoever calls this.
 */
export class Records<T extends object> {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #shape: RecordShape<T>;
  readonly #reading = new SharedRun(() => this.#read());
  #entries: ReadonlyMap<string, Entry> = new Map();
  #readAt: Instant = -Infinity;
  #changes = 0;
  #readAfter = -1;
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ engine, clock }: RecordOwner, shape: RecordShape<T>) {
    this.#engine = engine;
    this.#clock = clock;
    this.#shape = shape;
  }

  /**
   * The record of a name; null if there is none. As much as two seconds old, but for what this node changed itself.
   * @throws {EngineFault} when it is damaged
   */
  async find(name: string): Promise<T | null> {
    if (!this.#isFresh()) await this.#reading.join();
    // The run that was joined may have begun before a change that was answered since.
    if (this.#readAfter !== this.#changes) await this.#reading.run();
    const entry = this.#entries.get(name);
    return entry === undefined ? null : this.#shape.read(entry);
  }

  /** All of them, by name; as old as {@link Records.find} may be. @throws {EngineFault} when one is damaged */
  async known(): Promise<readonly NamedRecord<T>[]> {
    if (!this.#isFresh()) await this.#reading.join();
    if (this.#readAfter !== this.#changes) await this.#reading.run();
    return this.#all();
  }

  /** All of them as they are now, by name. @throws {EngineFault} when one is damaged */
  async list(): Promise<readonly NamedRecord<T>[]> {
    await this.#reading.run();
    return this.#all();
  }

  /**
   * All of them, some at a time, by name, with a turn for others in between: for kinds of which there may be very many. What
   * is put or dropped meanwhile may be among them or not.
   * @param from only names after this one
   */
  async *pages(from = ''): AsyncGenerator<readonly NamedRecord<T>[]> {
    const { kind } = this.#shape;
    let after: Pick<Entry, 'kind' | 'name'> | undefined = from === '' ? undefined : { kind, name: from };
    for (;;) {
      const page = { limit: PAGE, ...(after === undefined ? {} : { after }) };
      const entries = await this.#engine.entries(kind, page);
      yield entries.map((entry) => this.#named(entry));
      if (entries.length < PAGE) return;
      after = entries.at(-1);
      await setImmediate();
    }
  }

  /** One of them as it is now, without the others; null if there is none. @throws {EngineFault} when it is damaged */
  async one(name: string): Promise<T | null> {
    const entry = await this.#engine.entry(this.#shape.kind, name);
    return entry === null ? null : this.#shape.read(entry);
  }

  /**
   * Stores a record in the place of whatever is there; a body that was there goes.
   * @param by whom the audit log names; null to note nothing
   */
  async put(by: Caller | null, name: string, record: T, body?: SealedBody): Promise<void> {
    const entry = this.#entry(name, record);
    const whole = body === undefined ? { entry } : { entry: { ...entry, bodyId: body.id }, body };
    const note = this.#note(by, 'set', name, Object.keys(entry.attributes));
    await this.#store([{ type: 'put-entry', ...whole, note }]);
  }

  /** Stores several at once, each in the place of whatever is there; nothing of it is noted. */
  async putAll(records: readonly Pick<NamedRecord<T>, 'name' | 'record'>[]): Promise<void> {
    if (records.length === 0) return;
    await this.#store(
      records.map(({ name, record }) => ({
        type: 'put-entry',
        entry: this.#entry(name, record),
        note: null,
      })),
    );
  }

  /**
   * Changes a record: what `change` makes of it is stored if it still is what it was, else `change` is asked again. A body
   * that was put with it goes.
   * @param change gets null where there is none; returns null to drop it, or what it got to leave all as it is
   * @returns what is stored now
   * @throws {EngineFault} busy, when others changed it again and again; and when it is damaged
   */
  async update(by: Caller | null, name: string, change: (before: T | null) => T | null): Promise<T | null> {
    // Changes of this node take turns: only another node's can conflict.
    const mine = this.#turn.then(() => this.#update(by, name, change));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Forgets names with their bodies. */
  async drop(by: Caller | null, ...names: readonly string[]): Promise<void> {
    const { kind } = this.#shape;
    await this.#store(
      names.map((name) => ({ type: 'drop-entry', kind, name, note: this.#note(by, 'drop', name, null) })),
    );
  }

  #all(): readonly NamedRecord<T>[] {
    return [...this.#entries.values()].map((entry) => this.#named(entry));
  }

  #named(entry: Entry): NamedRecord<T> {
    return { name: entry.name, record: this.#shape.read(entry), bodyId: entry.bodyId ?? null };
  }

  async #update(by: Caller | null, name: string, change: (before: T | null) => T | null): Promise<T | null> {
    const { kind } = this.#shape;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      await this.#reading.run();
      const stored = this.#entries.get(name);
      const before = stored === undefined ? null : this.#shape.read(stored);
      const after = change(before);
      if (after === before) return before;
      const expects: Expected = stored?.attributes ?? null;
      const [outcome] = await this.#store([
        after === null
          ? { type: 'drop-entry', kind, name, expects, note: this.#note(by, 'drop', name, null) }
          : this.#replace(by, stored, this.#entry(name, after), expects),
      ]);
      if (outcome === 'noted') return after;
    }
    throw new EngineFault(`the record "${name}" of kind "${kind}" is changed too often: try again`, {
      busy: true,
    });
  }

  #replace(by: Caller | null, stored: Entry | undefined, entry: Entry, expects: Expected): RecordCommand {
    const before = stored?.attributes ?? {};
    const names = new Set([...Object.keys(before), ...Object.keys(entry.attributes)]);
    const changed = [...names].filter((key) => !isDeepStrictEqual(before[key], entry.attributes[key]));
    return { type: 'put-entry', entry, expects, note: this.#note(by, 'set', entry.name, changed) };
  }

  #entry(name: string, record: T): Entry {
    return { kind: this.#shape.kind, name, attributes: this.#shape.write(record) };
  }

  async #store(commands: readonly RecordCommand[]): Promise<readonly string[]> {
    try {
      return (await this.#engine.apply(commands)).map(({ outcome }) => outcome.type);
    } finally {
      this.#changes += 1;
    }
  }

  #isFresh(): boolean {
    return this.#readAfter === this.#changes && this.#clock.now() - this.#readAt <= REFRESH_MS;
  }

  async #read(): Promise<void> {
    const [at, changes] = [this.#clock.now(), this.#changes];
    const entries = await this.#engine.entries(this.#shape.kind);
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    [this.#readAt, this.#readAfter] = [at, changes];
  }

  #note(
    by: Caller | null,
    deed: 'set' | 'drop',
    name: string,
    attributes: readonly string[] | null,
  ): AuditNote | null {
    if (by === null) return null;
    const { kind } = this.#shape;
    const detail = { [kind]: name, ...(attributes === null ? {} : { attributes: attributes.join(' ') }) };
    return noteBy(by, `${kind}-${deed}`, detail);
  }
}
