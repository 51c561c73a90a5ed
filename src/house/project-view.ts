import { keyPrefixesIn, projectsInReach } from '../core/access.ts';
import type { Address } from '../core/address.ts';
import type { Instant } from '../core/instant.ts';
import type { Engine, StateSummary } from '../ports/engine.ts';
import type { Caller } from './caller.ts';
import type { Gate } from './gate.ts';

/** States that are looked at for one request whose pattern says nothing of the project: a search that ends there found none. */
export const LOOKED_AT_MAX = 10_000;
const PAGE = 500;
/** No key is as great as this one, so what follows after it is another project's. */
const LAST_KEY: string = '\u{10ffff}'.repeat(4);

/** What is known of a project besides its states. */
export interface MadeProject {
  /** When it was made; absent where it came to be with its first state. */
  readonly createdAt?: Instant | undefined;
  /** Who made it. */
  readonly createdBy?: string | undefined;
}

/**
 * Which projects a caller may know of, for the time of one request: those that a grant names or covers, that it has made, or
 * where it may list something that is there. A pattern that leaves the project open, but not the rest, fits some address of
 * every project, and tells nobody which projects there are.
 */
export class ProjectView {
  readonly #engine: Engine;
  readonly #gate: Gate;
  readonly #caller: Caller;
  #left = LOOKED_AT_MAX;

  constructor(engine: Engine, gate: Gate, caller: Caller) {
    this.#engine = engine;
    this.#gate = gate;
    this.#caller = caller;
  }

  /** Whether the caller may be told of what was set for a project, and whether it was made. */
  knows(project: string, made: MadeProject | null): boolean {
    const { identity } = this.#caller;
    if (!this.#gate.showsProject(identity, 'list', project)) return false;
    return this.#gate.knowsProject(identity, 'list', project) || made?.createdBy === identity.subject;
  }

  /** A state of the project, deleted or not, or a lock, that the caller may list; null if none was found. */
  async firstIn(project: string): Promise<StateSummary | null> {
    const { identity } = this.#caller;
    for (const keyPrefix of keyPrefixesIn(identity.grants, 'list', project)) {
      let after: Address | undefined;
      while (this.#left > 0) {
        const limit = after === undefined ? 1 : Math.min(PAGE, this.#left);
        const page = await this.#engine.states({
          project,
          deleted: true,
          limit,
          ...(keyPrefix === '' ? {} : { keyPrefix }),
          ...(after === undefined ? {} : { after }),
        });
        this.#left -= page.length;
        const found = page.find(({ address }) => this.#gate.shows(identity, 'list', address));
        if (found !== undefined) return found;
        if (page.length < limit) break;
        after = page.at(-1)?.address;
      }
    }
    return null;
  }

  /** The projects that grants of the caller name: it knows of them, be there something in them or not. */
  get named(): readonly string[] {
    return projectsInReach(this.#caller.identity.grants, 'list').names;
  }

  /** The projects with something in them that the caller may list, by name, each with the first of it. */
  async *projects(): AsyncGenerator<StateSummary> {
    const { names, prefixes } = projectsInReach(this.#caller.identity.grants, 'list');
    const told = new Set<string>();
    for (const name of names) {
      const first = await this.firstIn(name);
      told.add(name);
      if (first !== null) yield first;
    }
    for (const prefix of prefixes) {
      for await (const summary of this.#projectsFrom(prefix)) {
        const { project } = summary.address;
        if (told.has(project)) continue;
        told.add(project);
        const isShown = this.#gate.shows(this.#caller.identity, 'list', summary.address);
        const first = isShown ? summary : await this.firstIn(project);
        if (first !== null) yield first;
      }
    }
  }

  /** The first state of each project whose name begins so: one look at the engine for each of them. */
  async *#projectsFrom(prefix: string): AsyncGenerator<StateSummary> {
    let after: Address | null = prefix === '' ? null : { project: prefix, key: '', workspace: '' };
    for (;;) {
      const query = { deleted: true, limit: 1 };
      const [next] = await this.#engine.states(after === null ? query : { ...query, after });
      if (next === undefined || !next.address.project.startsWith(prefix)) return;
      yield next;
      after = { project: next.address.project, key: LAST_KEY, workspace: '' };
    }
  }
}
