import { mayActInProject, type Action } from '../core/access.ts';
import type { Address } from '../core/address.ts';
import type { Instant } from '../core/instant.ts';
import type { Expired } from '../core/outcome.ts';
import { readRetention, type Retention } from '../core/retention.ts';
import type { Engine, Entry } from '../ports/engine.ts';
import { refuseInHouse, refuseInProject, type Caller, type Forbidden } from './caller.ts';
import { listVisible } from './listing.ts';
import type { Registry } from './registry.ts';

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
  readonly #registry: Registry;
  readonly #retention: Retention;

  constructor(options: { engine: Engine; registry: Registry; settings: ProjectSettings }) {
    this.#engine = options.engine;
    this.#registry = options.registry;
    this.#retention = options.settings.retention;
  }

  /** What was set for a project; null if nothing ever was. */
  async find(project: string): Promise<Entry | null> {
    return this.#registry.find(project);
  }

  async list(): Promise<readonly Entry[]> {
    return this.#registry.list();
  }

  /** Those for which something was set, as far as the caller may see them. */
  async listVisible(caller: Caller): Promise<readonly Entry[]> {
    const { grants } = caller.identity;
    return (await this.list()).filter(({ name }) => mayActInProject(grants, 'list', name));
  }

  /** The projects that the caller may list something in: those that were made, and those that have a state. By name. */
  async seen(caller: Caller): Promise<readonly { readonly name: string; readonly since: Instant }[]> {
    const found = new Map<string, Instant>();
    for (const { name, attributes } of await this.list()) {
      const { createdAt } = attributes;
      if (typeof createdAt === 'number') found.set(name, createdAt);
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
    if (typeof (await this.find(project))?.attributes['createdAt'] === 'number')
      return { type: 'made-before' };
    await this.#registry.set(caller, project, { createdAt: await this.#engine.now() });
    return { type: 'made' };
  }

  /** Sets attributes of a project, keeping its others. For admins of the house. */
  async set(
    caller: Caller,
    project: string,
    attributes: Entry['attributes'],
  ): Promise<{ type: 'set'; entry: Entry } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    return { type: 'set', entry: await this.#registry.set(caller, project, attributes) };
  }

  /** Forgets what was set for a project; its states are not touched. For admins of the house. */
  async forget(caller: Caller, project: string): Promise<{ type: 'forgotten' } | Forbidden> {
    const refusal = refuseInHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#registry.drop(caller, project);
    return { type: 'forgotten' };
  }

  /** How much history a project keeps: what was set for it, else what holds for the house. */
  async retentionOf(project: string): Promise<Retention> {
    return { ...this.#retention, ...(await this.retentionSetFor(project)) };
  }

  /** What was set for a project itself. */
  async retentionSetFor(project: string): Promise<Retention> {
    return readRetention((await this.find(project))?.attributes ?? {});
  }
}
