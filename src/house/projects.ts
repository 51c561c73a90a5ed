import { z } from 'zod';
import type { Action } from '../core/access.ts';
import type { Instant } from '../core/instant.ts';
import {
  limitsOf,
  mapQuotas,
  readQuotas,
  type Quota,
  type Quotas,
  type Usage,
  type UsageLimits,
} from '../core/quota.ts';
import { RETENTION_MODES, type RetentionFloor, type RetentionMode } from '../core/retained.ts';
import { floorOf, mapLimits, readRetention, type Retention, type RetentionLimit } from '../core/retention.ts';
import type { Engine } from '../ports/engine.ts';
import type { Caller, Shut } from './caller.ts';
import type { Gate } from './gate.ts';
import { ProjectView, type MadeProject } from './project-view.ts';
import { defineRecords, type RecordDefinition } from './records/define.ts';
import { PROJECT_KIND } from './records/kinds.ts';
import type { NamedRecord, Records } from './records/records.ts';

/** What a door keeps with a project in its protocol's words: the door's name, a hyphen, and the name of the setting. */
export type DoorSetting = `${string}-${string}`;

/** Each is null or absent where it is the server's that holds. */
type StoredLimits = { readonly [L in RetentionLimit | Quota]?: number | null | undefined };

/** What is set for a project. */
export interface ProjectRecord extends StoredLimits, MadeProject {
  /** The first write of a state by a run must be announced. Default false. */
  readonly announceFirst?: boolean | null | undefined;
  /** Who may remove a version that is retained. Default: an admin who says so. */
  readonly retainMode?: RetentionMode | null | undefined;
  /** null or absent: not set. */
  readonly [setting: DoorSetting]: string | null | undefined;
}

/** The projects, as they are stored. */
export const PROJECT_RECORDS: RecordDefinition<ProjectRecord> = defineRecords<ProjectRecord>(
  PROJECT_KIND,
  z
    .object({
      createdAt: z.number().optional(),
      createdBy: z.string().optional(),
      announceFirst: z.boolean().nullable().optional(),
      retainMode: z.enum(RETENTION_MODES).nullable().optional(),
      ...mapLimits(() => z.number().nullable().optional()),
      ...mapQuotas(() => z.number().nullable().optional()),
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
  /** How much it may keep. Default: whatever comes. */
  readonly quotas?: Quotas;
}

/**
 * What is set for a project as a whole. A project needs no making: it is there with its first state. Doors keep here what
 * their protocol lets clients say of a bucket or a container.
 */
export class Projects {
  readonly #engine: Engine;
  readonly #records: Records<ProjectRecord>;
  readonly #retention: Retention;
  readonly #quotas: Quotas;
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
    this.#quotas = options.settings.quotas ?? {};
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
    const view = new ProjectView(this.#engine, this.#gate, caller);
    const projects: NamedRecord<ProjectRecord>[] = [];
    for (const named of await this.list()) {
      if (view.knows(named.name, named.record) || (await view.firstIn(named.name)) !== null)
        projects.push(named);
    }
    return { type: 'projects', projects };
  }

  /** The projects that the caller may know of: those that were made, and those with a state that it may list. By name. */
  async seen(caller: Caller): Promise<{ type: 'seen'; projects: readonly SeenProject[] } | Shut> {
    const shut = this.#gate.known(caller.identity);
    if (shut !== null) return shut;
    const view = new ProjectView(this.#engine, this.#gate, caller);
    const found = new Map<string, Instant>();
    for (const { name, record } of await this.list()) {
      if (record.createdAt !== undefined && view.knows(name, record)) found.set(name, record.createdAt);
    }
    for await (const { address, world } of view.projects()) {
      if (found.has(address.project)) continue;
      found.set(address.project, world.record.head?.at ?? (await this.#engine.now()));
    }
    const projects = [...found]
      .map(([name, since]) => ({ name, since }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { type: 'seen', projects };
  }

  /** Why a caller may not do this anywhere in a project; null if there may be an address where it may. */
  refuse(caller: Caller, action: Action, project: string): Shut | null {
    return this.#gate.inProject(caller, action, project);
  }

  /** Whether a project is there, as far as the caller may know of it: something was set for it, or it has a state to list. */
  async look(caller: Caller, project: string): Promise<{ type: 'present' } | { type: 'absent' } | Shut> {
    const refusal = this.#gate.inProject(caller, 'list', project);
    if (refusal !== null) return refusal;
    const view = new ProjectView(this.#engine, this.#gate, caller);
    const record = await this.find(project);
    if (record !== null && view.knows(project, record)) return { type: 'present' };
    return { type: (await view.firstIn(project)) === null ? 'absent' : 'present' };
  }

  /** Whether a caller may be told what holds for a project: it is named or covered by a grant, or there for the caller. */
  async mayKnow(caller: Caller, project: string): Promise<boolean> {
    if (this.#gate.knowsProject(caller.identity, 'list', project)) return true;
    return (await this.look(caller, project)).type === 'present';
  }

  /**
   * Makes a project known before it has a state. A caller who may write in it needs nothing more, since a write makes it
   * known as well.
   */
  async make(caller: Caller, project: string): Promise<{ type: 'made' } | { type: 'made-before' } | Shut> {
    const refusal = this.#gate.inProject(caller, 'write', project);
    if (refusal !== null) return refusal;
    if ((await this.find(project))?.createdAt !== undefined) {
      // Whoever may not know of it is told what it would be told if it were not there.
      return { type: (await this.look(caller, project)).type === 'present' ? 'made-before' : 'made' };
    }
    const [createdAt, createdBy] = [await this.#engine.now(), caller.identity.subject];
    await this.#records.update(caller, project, (before) =>
      before?.createdAt === undefined ? { ...before, createdAt, createdBy } : before,
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

  /** What the rules ask of a write in a project. */
  async termsOf(project: string): Promise<{ readonly limits: UsageLimits; readonly floor?: RetentionFloor }> {
    const record = await this.find(project);
    const limits = limitsOf({ ...this.#quotas, ...readQuotas(record ?? {}) });
    return { limits, ...this.#floorIn(record) };
  }

  /** How long a project retains every version, as it is now and not as it was two seconds ago; nothing for no time. */
  async floorOf(project: string): Promise<{ readonly floor?: RetentionFloor }> {
    return this.#floorIn(await this.#records.one(project));
  }

  #floorIn(record: ProjectRecord | null): { readonly floor?: RetentionFloor } {
    const retention = { ...this.#retention, ...readRetention(record ?? {}) };
    const floor = floorOf(retention, record?.retainMode ?? 'governance');
    return floor === null ? {} : { floor };
  }

  /** What was set for a project itself. */
  async retentionSetFor(project: string): Promise<Retention> {
    return readRetention((await this.find(project)) ?? {});
  }

  /** How much a project may keep: what was set for it, else what holds for the house. */
  async quotasOf(project: string): Promise<Quotas> {
    return { ...this.#quotas, ...(await this.quotasSetFor(project)) };
  }

  /** What was set for a project itself. */
  async quotasSetFor(project: string): Promise<Quotas> {
    return readQuotas((await this.find(project)) ?? {});
  }

  /** What a project keeps now. */
  usageOf(project: string): Promise<Usage> {
    return this.#engine.usage(project);
  }
}
