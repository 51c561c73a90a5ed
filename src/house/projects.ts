import { z } from 'zod';
import { mayActInProject, type Action } from '../core/access.ts';
import type { Address } from '../core/address.ts';
import type { Instant } from '../core/instant.ts';
import type { Expired } from '../core/outcome.ts';
import { mapLimits, readRetention, type Retention, type RetentionLimit } from '../core/retention.ts';
import type { Engine } from '../ports/engine.ts';
import { refuseInHouse, refuseInProject, type Caller, type Forbidden } from './caller.ts';
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

  constructor(options: { engine: Engine; records: Records<ProjectRecord>; settings: ProjectSettings }) {
    this.#engine = options.engine;
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
  async listVisible(caller: Caller): Promise<readonly NamedRecord<ProjectRecord>[]> {
    const { grants } = caller.identity;
    return (await this.list()).filter(({ name }) => mayActInProject(grants, 'list', name));
  }

  /** The projects that the caller may list something in: those that were made, and those that have a state. By name. */
  async seen(caller: Caller): Promise<readonly { readonly name: string; readonly since: Instant }[]> {
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
    return [...found]
      .filter(([name]) => mayActInProject(caller.identity.grants, 'list', name))
      .map(([name, since]) => ({ name, since }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Why a caller may not do this anywhere in a project; null if there may be an address where it may. */
  refuse(caller: Caller, action: Action, project: string): Forbidden | Expired | null {
    return refuseInProject(caller, action, project);
  }

  /** Whether a project is there: something was set for it, or it has a state that the caller may list. */
  async look(
    caller: Caller,
    project: string,
  ): Promise<{ type: 'present' } | { type: 'absent' } | Forbidden | Expired> {
    const refusal = refuseInProject(caller, 'list', project);
    if (refusal !== null) return refusal;
    if ((await this.find(project)) !== null) return { type: 'present' };
    const { states } = await listVisible(this.#engine, caller, { project, deleted: true, limit: 1 });
    return { type: states.length > 0 ? 'present' : 'absent' };
  }

  /**
   * Makes a project known before it has a state. A caller who may write in it needs nothing more, since a write makes it
   * known as well.
   */
  async make(
    caller: Caller,
    project: string,
  ): Promise<{ type: 'made' } | { type: 'made-before' } | Forbidden | Expired> {
    const refusal = refuseInProject(caller, 'write', project);
    if (refusal !== null) return refusal;
    if ((await this.find(project))?.createdAt !== undefined) return { type: 'made-before' };
    const createdAt = await this.#engine.now();
    await this.#records.update(caller, project, (before) =>
      before?.createdAt === undefined ? { ...before, createdAt } : before,
    );
    return { type: 'made' };
  }

  /** Sets some of what can be set for a project, and keeps the rest. For admins of the house. */
  async set(caller: Caller, project: string, settings: ProjectRecord): Promise<{ type: 'set' } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#records.update(caller, project, (before) => ({ ...before, ...settings }));
    return { type: 'set' };
  }

  /** Forgets what was set for a project; its states are not touched. For admins of the house. */
  async forget(caller: Caller, project: string): Promise<{ type: 'forgotten' } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
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
