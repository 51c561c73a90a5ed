import type { Instant, Milliseconds } from '../core/instant.ts';
import type { Retention } from '../core/retention.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, Entry } from '../ports/engine.ts';
import { refuseInHouse, type Caller, type Forbidden } from './caller.ts';

const KIND = 'project';
/** How long a node may go on with settings that another node has changed. */
const REFRESH_MS: Milliseconds = 2_000;

/**
 * What is set for a project as a whole. A project needs no making: it is there with its first state. Doors keep here what
 * their protocol lets clients say of a bucket or a container.
 */
export class Projects {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #retention: Retention;
  #entries: ReadonlyMap<string, Entry> = new Map();
  #readAt: Instant = -Infinity;

  constructor(options: { engine: Engine; clock: Clock; retention: Retention }) {
    this.#engine = options.engine;
    this.#clock = options.clock;
    this.#retention = options.retention;
  }

  /** What was set for a project; null if nothing ever was. */
  async find(project: string): Promise<Entry | null> {
    if (this.#clock.now() - this.#readAt > REFRESH_MS) await this.#read();
    return this.#entries.get(project) ?? null;
  }

  async list(): Promise<readonly Entry[]> {
    await this.#read();
    return [...this.#entries.values()];
  }

  /** Sets attributes of a project, keeping its others. For admins of the house. */
  async set(
    caller: Caller,
    project: string,
    attributes: Entry['attributes'],
  ): Promise<{ type: 'set'; entry: Entry } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#read();
    const entry = {
      kind: KIND,
      name: project,
      attributes: { ...this.#entries.get(project)?.attributes, ...attributes },
    };
    const note = {
      action: 'project-set',
      subject: caller.identity.subject,
      door: caller.door,
      detail: { project, attributes: Object.keys(attributes).join(' ') },
    };
    await this.#engine.apply([{ type: 'put-entry', entry, note }]);
    await this.#read();
    return { type: 'set', entry };
  }

  /** How much history a project keeps: what was set for it, else what holds for the house. */
  async retentionOf(project: string): Promise<Retention> {
    const attributes = (await this.find(project))?.attributes ?? {};
    const { keepVersions, keepDays } = attributes;
    return {
      ...this.#retention,
      ...(typeof keepVersions === 'number' ? { keepVersions } : {}),
      ...(typeof keepDays === 'number' ? { keepDays } : {}),
    };
  }

  async #read(): Promise<void> {
    const at = this.#clock.now();
    const entries = await this.#engine.entries(KIND);
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.#readAt = at;
  }
}
