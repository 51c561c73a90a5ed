import { setImmediate } from 'node:timers/promises';
import { formatAddress, isAddress, parseAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import { liveHead, NEW_WORLD, type World } from '../../core/world.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { listVisible } from '../listing.ts';
import type { NamedRecord, Records } from '../records/records.ts';
import type { StoredGroup, StoredWorkspace } from './records.ts';

/** Workspaces that are kept without a state of their own, and those of one project. */
const WORKSPACES_MAX = 20_000;
const PROJECT_WORKSPACES_MAX: number = WORKSPACES_MAX / 2;
const PROJECT_GROUPS_MAX = 500;
/** States that are read at a time. */
const PAGE = 1_000;

/** A workspace: an address that was made one, or that has a state or a lock. */
export interface Workspace {
  readonly address: Address;
  /** null where nothing was ever set for it. */
  readonly record: StoredWorkspace | null;
  readonly world: World;
}

/** What can be set of a workspace. */
export type WorkspaceChange = Partial<Pick<StoredWorkspace, 'group' | 'tags' | 'settings'>>;

/** There is no room for another one. */
export interface Full {
  readonly type: 'full';
  readonly limit: number;
}

export type LookAnswer =
  | { readonly type: 'there'; readonly workspace: Workspace }
  | { readonly type: 'absent' }
  | Shut;

/**
 * Workspaces as HCP's clients have them: made before they have a state, with tags and settings. Any state is one, and whatever
 * is set for it is kept beside it.
 */
export class Workspaces {
  readonly #engine: Engine;
  readonly #gate: Gate;
  readonly #records: Records<StoredWorkspace>;
  readonly #groups: Records<StoredGroup>;

  constructor(options: {
    engine: Engine;
    gate: Gate;
    records: Records<StoredWorkspace>;
    groups: Records<StoredGroup>;
  }) {
    this.#engine = options.engine;
    this.#gate = options.gate;
    this.#records = options.records;
    this.#groups = options.groups;
  }

  /** A workspace, for whoever may at least read its outputs. */
  async look(caller: Caller, address: Address): Promise<LookAnswer> {
    const mayRead = (await this.#gate.on(caller, 'read', address)) === null;
    const refusal = mayRead ? null : await this.#gate.on(caller, 'read-outputs', address);
    if (refusal !== null) return refusal;
    const workspace = await this.#find(address);
    return workspace === null ? { type: 'absent' } : { type: 'there', workspace };
  }

  /** What is kept of a workspace, for who has been let in already; null where nothing ever was set. */
  recordOf(address: Address): Promise<StoredWorkspace | null> {
    return this.#records.one(formatAddress(address));
  }

  /** Whether there is such a workspace, for the house itself. */
  async isThere(address: Address): Promise<boolean> {
    return (await this.#find(address)) !== null;
  }

  /** The number of the newest version of a workspace's state, for the house itself; 0 for none. */
  async versionOf(address: Address): Promise<number> {
    return liveHead((await this.#engine.world(address)).record)?.number ?? 0;
  }

  /** Makes a workspace. One that has a state only needs no making, and is told to be there. */
  async make(
    caller: Caller,
    address: Address,
    change: WorkspaceChange,
  ): Promise<
    { readonly type: 'made'; readonly workspace: Workspace } | { readonly type: 'made-before' } | Full | Shut
  > {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    if ((await this.#find(address)) !== null) return { type: 'made-before' };
    return (
      (await this.#store(caller, address, () => change)) ?? {
        type: 'made',
        workspace: await this.#found(address),
      }
    );
  }

  /** Sets something of a workspace, and keeps the rest. */
  async set(
    caller: Caller,
    address: Address,
    change: (before: StoredWorkspace | null) => WorkspaceChange,
  ): Promise<
    { readonly type: 'set'; readonly workspace: Workspace } | { readonly type: 'absent' } | Full | Shut
  > {
    const refusal = await this.#gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    if ((await this.#find(address)) === null) return { type: 'absent' };
    return (
      (await this.#store(caller, address, change)) ?? {
        type: 'set',
        workspace: await this.#found(address),
      }
    );
  }

  /** Forgets what was set for a workspace; a state of it is not touched. */
  async forget(caller: Caller, address: Address): Promise<{ readonly type: 'forgotten' } | Shut> {
    const refusal = await this.#gate.on(caller, 'delete', address);
    if (refusal !== null) return refusal;
    await this.#records.drop(caller, formatAddress(address));
    return { type: 'forgotten' };
  }

  /** The workspaces of a project that the caller may list, by address. */
  async list(
    caller: Caller,
    project: string,
  ): Promise<{ readonly type: 'workspaces'; readonly workspaces: readonly Workspace[] } | Shut> {
    const refusal = this.#gate.inProject(caller, 'list', project);
    if (refusal !== null) return refusal;
    const found = new Map<string, Workspace>();
    for (const { name, record } of await this.#records.known()) {
      const address = parseAddress(name);
      if (!isAddress(address) || address.project !== project) continue;
      if (this.#gate.shows(caller.identity, 'list', address))
        found.set(name, { address, record, world: NEW_WORLD });
    }
    let after: Address | null = null;
    do {
      const query = { project, limit: PAGE, ...(after === null ? {} : { after }) };
      const page: Awaited<ReturnType<typeof listVisible>> = await listVisible(
        this.#engine,
        this.#gate,
        caller,
        query,
      );
      if (page.type !== 'page') return page;
      for (const { address, world } of page.states) {
        const name = formatAddress(address);
        found.set(name, { address, world, record: found.get(name)?.record ?? null });
      }
      after = page.next;
      // Others have their turn: there may be many pages.
      await setImmediate();
    } while (after !== null);
    const workspaces = [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, workspace]) => workspace);
    return { type: 'workspaces', workspaces };
  }

  /** The groups of a project, by name. */
  async groups(
    caller: Caller,
    project: string,
  ): Promise<{ readonly type: 'groups'; readonly groups: readonly NamedRecord<StoredGroup>[] } | Shut> {
    const refusal = this.#gate.inProject(caller, 'list', project);
    if (refusal !== null) return refusal;
    const prefix = `${project} `;
    const groups = (await this.#groups.list())
      .filter(({ name }) => name.startsWith(prefix))
      .map((group) => ({ ...group, name: group.name.slice(prefix.length) }));
    return { type: 'groups', groups };
  }

  /** Makes or changes a group. @param change gets null where there is none; returns null to leave all as it is */
  async setGroup(
    caller: Caller,
    { project, name }: { readonly project: string; readonly name: string },
    change: (before: StoredGroup | null) => Omit<StoredGroup, 'createdAt'> | null,
  ): Promise<{ readonly type: 'set'; readonly group: StoredGroup | null } | Full | Shut> {
    const refusal = this.#gate.inProject(caller, 'write', project);
    if (refusal !== null) return refusal;
    const known = await this.groups(caller, project);
    if (known.type !== 'groups') return known;
    const isNew = known.groups.every((group) => group.name !== name);
    if (isNew && known.groups.length >= PROJECT_GROUPS_MAX)
      return { type: 'full', limit: PROJECT_GROUPS_MAX };
    const now = await this.#engine.now();
    const group = await this.#groups.update(caller, `${project} ${name}`, (before) => {
      const after = change(before);
      return after === null ? before : { ...after, createdAt: before?.createdAt ?? now };
    });
    return { type: 'set', group };
  }

  /** Forgets a group in which there is no workspace. */
  async dropGroup(
    caller: Caller,
    { project, name }: { readonly project: string; readonly name: string },
  ): Promise<
    { readonly type: 'dropped' } | { readonly type: 'in-use' } | { readonly type: 'absent' } | Shut
  > {
    const refusal = this.#gate.inProject(caller, 'write', project);
    if (refusal !== null) return refusal;
    if ((await this.#groups.one(`${project} ${name}`)) === null) return { type: 'absent' };
    const isUsed = (await this.#records.list()).some(
      (one) => one.record.group === name && one.name.startsWith(`${project}/`),
    );
    if (isUsed) return { type: 'in-use' };
    await this.#groups.drop(caller, `${project} ${name}`);
    return { type: 'dropped' };
  }

  async #store(
    caller: Caller,
    address: Address,
    change: (before: StoredWorkspace | null) => WorkspaceChange,
  ): Promise<Full | null> {
    const name = formatAddress(address);
    const known = await this.#records.known();
    if (known.every((one) => one.name !== name)) {
      const own = known.filter((one) => one.name.startsWith(`${address.project}/`)).length;
      if (own >= PROJECT_WORKSPACES_MAX) return { type: 'full', limit: PROJECT_WORKSPACES_MAX };
      if (known.length >= WORKSPACES_MAX) return { type: 'full', limit: WORKSPACES_MAX };
    }
    const now = await this.#engine.now();
    await this.#records.update(caller, name, (before) => {
      const { group = null, tags = {}, settings = {}, createdAt = now, createdBy } = before ?? {};
      const was = { group, tags, settings, createdAt, createdBy: createdBy ?? caller.identity.subject };
      const wanted = change(before);
      return { ...was, ...wanted, settings: { ...settings, ...wanted.settings }, updatedAt: now };
    });
    return null;
  }

  async #find(address: Address): Promise<Workspace | null> {
    const record = await this.#records.one(formatAddress(address));
    const world = await this.#engine.world(address);
    const isThere = record !== null || liveHead(world.record) !== null || world.holders.length > 0;
    return isThere ? { address, record, world } : null;
  }

  async #found(address: Address): Promise<Workspace> {
    return {
      address,
      record: await this.#records.one(formatAddress(address)),
      world: await this.#engine.world(address),
    };
  }
}

/** When a workspace was made, as far as that is known. */
export function madeAt({ record, world }: Workspace): Instant {
  return record?.createdAt ?? world.record.head?.at ?? world.holders[0]?.since ?? 0;
}
