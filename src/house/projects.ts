import { z } from 'zod';
import type { Action } from '../core/access.ts';
import type { Address } from '../core/address.ts';
import type { Instant } from '../core/instant.ts';
import { mapLimits, readRetention, type Retention, type RetentionLimit } from '../core/retention.ts';
import type { Engine } from '../ports/engine.ts';
import type { Caller, Shut } from './caller.ts';
import type { Gate } from './gate.ts';
import { listVisible } from './listing.ts';
import { defineRecords, type RecordDefinition } from './records/define.ts';
import { PROJECT_KIND } from './records/kinds.ts';
import type { NamedRecord, Records } from './records/records.ts';

/** What a door keeps with a project in its protocol's words: the door's name, a hyphen, and the name of the setting. */
export type DoorSetting = `${string}-${string}`;

/** Each is null or absent where it is the server's that holds. */
type StoredLimits = { readonly [L in RetentionLimit]?: number | null | undefined };

/** What is set for a project. */
export interface ProjectRecord extends StoredLimits {
  /** When it was made; absent where it came to be with its first state. */
  readonly createdAt?: Instant | undefined;
  /** null or absent: not set. */
  readonly [setting: DoorSetting]: string | null | undefined;
}

/** The projects, as they are stored. */
export const PROJECT_RECORDS: RecordDefinition<ProjectRecord> = defineRecords<ProjectRecord>(
  PROJECT_KIND,
  z
    .object({
      createdAt: z.number().optional(),
      ...mapLimits(() => z.number().nullable().optional()),
    })
    .catchall(z.string().nullable()),
);

/** A project, and since when it is one. */
export interface SeenProject {
  readonly name: string;
  readonly since: Instant;
}

export interface ProjectSettings {
  /** How much history is kept where a project says nothing else. */
  readonly retention: Retention;
}

/**
 * What is set for a project as a whole. A project needs no making: it is there with its first state. Doors keep here what
 * their protocol lets clients say of a bucket or a container.
 */
export class Projects {
  readonly #engine: Engine;
  readonly #records: Records<ProjectRecord>;
  readonly #retention: Retention;
  readonly #gate: Gate;

  constructor(options: {
    engine: Engine;
    gate: Gate;
    records: Records<ProjectRecord>;
    settings: ProjectSettings;
  }) {
    this.#engine = options.engine;
    this.#gate = options.gate;
    this.#records = options.records;
    this.#retention = options.settings.retention;
  }

  /** What was set for a project; null if nothing ever was. */
  async find(project: string): Promise<ProjectRecord | null> {
    return this.#records.find(project);
  }

  async list(): Promise<readonly NamedRecord<ProjectRecord>[]> {
    return this.#records.list();
  }

  /** Those for which something was set, as far as the caller may see them. */
  async listVisible(
    caller: Caller,
  ): Promise<{ type: 'projects'; projects: readonly NamedRecord<ProjectRecord>[] } | Shut> {
    const shut = this.#gate.known(caller.identity);
    if (shut !== null) return shut;
    const projects = (await this.list()).filter(({ name }) =>
      this.#gate.showsProject(caller.identity, 'list', name),
    );
    return { type: 'projects', projects };
  }

  /** The projects that the caller may list something in: those that were made, and those that have a state. By name. */
  async seen(caller: Caller): Promise<{ type: 'seen'; projects: readonly SeenProject[] } | Shut> {
    const shut = this.#gate.known(caller.identity);
    if (shut !== null) return shut;
    const found = new Map<string, Instant>();
    for (const { name, record } of await this.list()) {
      if (record.createdAt !== undefined) found.set(name, record.createdAt);
    }
    let after: Address | null = null;
    for (;;) {
      const query = { deleted: true, limit: 1 };
      const [next] = await this.#engine.states(after === null ? query : { ...query, after });
      if (next === undefined) break;
      const name = next.address.project;
      if (!found.has(name)) found.set(name, next.world.record.head?.at ?? (await this.#engine.now()));
      // No key is as great as this one, so the next state is another project's.
      after = { project: name, key: '\u{10ffff}'.repeat(4), workspace: '' };
    }
    const projects = [...found]
      .filter(([name]) => this.#gate.showsProject(caller.identity, 'list', name))
      .map(([name, since]) => ({ name, since }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { type: 'seen', projects };
  }

  /** Why a caller may not do this anywhere in a project; null if there may be an address where it may. */
  refuse(caller: Caller, action: Action, project: string): Shut | null {
    return this.#gate.inProject(caller, action, project);
  }

  /** Whether a project is there: something was set for it, or it has a state that the caller may list. */
  async look(caller: Caller, project: string): Promise<{ type: 'present' } | { type: 'absent' } | Shut> {
    const refusal = this.#gate.inProject(caller, 'list', project);
    if (refusal !== null) return refusal;
    if ((await this.find(project)) !== null) return { type: 'present' };
    const page = await listVisible(this.#engine, this.#gate, caller, { project, deleted: true, limit: 1 });
    if (page.type !== 'page') return page;
    return { type: page.states.length > 0 ? 'present' : 'absent' };
  }

  /**
   * Makes a project known before it has a state. A caller who may write in it needs nothing more, since a write makes it
   * known as well.
   */
  async make(caller: Caller, project: string): Promise<{ type: 'made' } | { type: 'made-before' } | Shut> {
    const refusal = this.#gate.inProject(caller, 'write', project);
    if (refusal !== null) return refusal;
    if ((await this.find(project))?.createdAt !== undefined) return { type: 'made-before' };
    const createdAt = await this.#engine.now();
    await this.#records.update(caller, project, (before) =>
      before?.createdAt === undefined ? { ...before, createdAt } : before,
    );
    return { type: 'made' };
  }

  /** Sets some of what can be set for a project, and keeps the rest. For admins of the house. */
  async set(caller: Caller, project: string, settings: ProjectRecord): Promise<{ type: 'set' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#records.update(caller, project, (before) => ({ ...before, ...settings }));
    return { type: 'set' };
  }

  /** Forgets what was set for a project; its states are not touched. For admins of the house. */
  async forget(caller: Caller, project: string): Promise<{ type: 'forgotten' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#records.drop(caller, project);
    return { type: 'forgotten' };
  }

  /** How much history a project keeps: what was set for it, else what holds for the house. */
  async retentionOf(project: string): Promise<Retention> {
    return { ...this.#retention, ...(await this.retentionSetFor(project)) };
  }

  /** What was set for a project itself. */
  async retentionSetFor(project: string): Promise<Retention> {
    return readRetention((await this.find(project)) ?? {});
  }
}
