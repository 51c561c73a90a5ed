import type { Instant, Milliseconds } from '../core/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, Entry } from '../ports/engine.ts';
import type { Caller } from './caller.ts';

/** How long a node may go on with what another node has changed. */
const REFRESH_MS: Milliseconds = 2_000;

/** Named things of one kind that the house remembers: projects, or what a door must know by name. */
export class Registry {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #kind: string;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #readAt: Instant = -Infinity;

  constructor(options: { engine: Engine; clock: Clock; kind: string }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#kind = options.kind;
  }

  /** What is remembered under a name; null if nothing is. As much as two seconds old. */
  async find(name: string): Promise<Entry | null> {
    if (this.#clock.now() - this.#readAt > REFRESH_MS) await this.#read();
    return this.#entries.get(name) ?? null;
  }

  /** All of them, as they are now. */
  async list(): Promise<readonly Entry[]> {
    await this.#read();
    return [...this.#entries.values()];
  }

  /** Sets attributes of a name, keeping its others. Whether the caller may is settled by whoever calls this. */
  async set(caller: Caller, name: string, attributes: Entry['attributes']): Promise<Entry> {
    await this.#read();
    const before = this.#entries.get(name)?.attributes;
    const entry = { kind: this.#kind, name, attributes: { ...before, ...attributes } };
    const note = this.#note(caller, 'set', name, { attributes: Object.keys(attributes).join(' ') });
    await this.#engine.apply([{ type: 'put-entry', entry, note }]);
    await this.#read();
    return entry;
  }

  /** Forgets a name. Whether the caller may is settled by whoever calls this. */
  async drop(caller: Caller, name: string): Promise<void> {
    const note = this.#note(caller, 'drop', name, {});
    await this.#engine.apply([{ type: 'drop-entry', kind: this.#kind, name, note }]);
    await this.#read();
  }

  #note(
    caller: Caller,
    deed: string,
    name: string,
    detail: Readonly<Record<string, string>>,
  ): { action: string; subject: string; door: string; detail: Readonly<Record<string, string>> } {
    const { identity, door } = caller;
    return {
      action: `${this.#kind}-${deed}`,
      subject: identity.subject,
      door,
      detail: { [this.#kind]: name, ...detail },
    };
  }

  async #read(): Promise<void> {
    const at = this.#clock.now();
    const entries = await this.#engine.entries(this.#kind);
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.#readAt = at;
  }
}
