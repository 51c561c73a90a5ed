import { mayActInProject } from '../core/access.ts';
import type { Retention } from '../core/retention.ts';
import type { Entry } from '../ports/engine.ts';
import { refuseInHouse, type Caller, type Forbidden } from './caller.ts';
import type { Registry } from './registry.ts';

/**
 * What is set for a project as a whole. A project needs no making: it is there with its first state. Doors keep here what
 * their protocol lets clients say of a bucket or a container.
 */
export class Projects {
  readonly #registry: Registry;
  readonly #retention: Retention;

  constructor(options: { registry: Registry; retention: Retention }) {
    this.#registry = options.registry;
    this.#retention = options.retention;
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
    const attributes = (await this.find(project))?.attributes ?? {};
    const { keepVersions, keepDays } = attributes;
    return {
      ...this.#retention,
      ...(typeof keepVersions === 'number' ? { keepVersions } : {}),
      ...(typeof keepDays === 'number' ? { keepDays } : {}),
    };
  }
}
