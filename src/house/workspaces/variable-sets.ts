import { z } from 'zod';
import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { VARIABLE_SET_KIND } from '../records/kinds.ts';
import type { NamedRecord, Records } from '../records/records.ts';
import type { StoredVariable, Variable, Variables } from './variables.ts';

/** Variables that several workspaces of a project share, under the ID of the set. */
export interface StoredVariableSet {
  readonly project: string;
  readonly name: string;
  readonly description: string;
  /** For all workspaces of the project, those too that are yet to come. */
  readonly global: boolean;
  /** Its values count more than those of workspaces and of runs. */
  readonly priority: boolean;
  /** The text forms of the addresses that it is for, where it is not for all. */
  readonly workspaces: readonly string[];
  readonly createdAt: Instant;
}

export const VARIABLE_SETS: RecordDefinition<StoredVariableSet> = defineRecords<StoredVariableSet>(
  VARIABLE_SET_KIND,
  z.object({
    project: z.string(),
    name: z.string(),
    description: z.string(),
    global: z.boolean(),
    priority: z.boolean(),
    workspaces: z.array(z.string()),
    createdAt: z.number(),
  }),
);

export interface VariableSet extends StoredVariableSet {
  readonly id: string;
}

/** What is set of a set. */
export type VariableSetChange = Partial<Omit<StoredVariableSet, 'project' | 'createdAt'>>;

/** A variable as a run gets it. */
export interface RunsVariable extends StoredVariable {
  readonly value: string;
  /** It counts more than what the run itself says. */
  readonly overrides: boolean;
}

/** A variable, and the set that it is of; null for a workspace's own. */
export interface OfSet<V> {
  readonly set: VariableSet | null;
  readonly variable: V;
}

export type SetVariableSetAnswer =
  | { readonly type: 'set'; readonly set: VariableSet }
  | { readonly type: 'absent' }
  | { readonly type: 'invalid'; readonly problem: string }
  | { readonly type: 'full'; readonly limit: number }
  | Shut;

/** Sets of one project, and of all. */
const OF_PROJECT_MAX = 200;
const SETS_MAX = 2_000;
const WORKSPACES_MAX = 2_000;
const NAME_LENGTH_MAX = 90;
const DESCRIPTION_LENGTH_MAX = 512;

/**
 * Where the variables of a set are kept among those of workspaces. No state is there, and whoever may act on it may act on every
 * address of the project: what is in a set reaches runs of all.
 */
export function placeOfSet({ id, project }: Pick<VariableSet, 'id' | 'project'>): Address {
  return { project, key: '*', workspace: id };
}

/** Sets of variables. Who reads or changes one must have the right for the whole project. */
export class VariableSets {
  readonly #engine: Engine;
  readonly #entropy: Entropy;
  readonly #gate: Gate;
  readonly #records: Records<StoredVariableSet>;
  readonly #variables: Variables;

  constructor(options: {
    engine: Engine;
    entropy: Entropy;
    gate: Gate;
    records: Records<StoredVariableSet>;
    variables: Variables;
  }) {
    this.#engine = options.engine;
    this.#entropy = options.entropy;
    this.#gate = options.gate;
    this.#records = options.records;
    this.#variables = options.variables;
  }

  /** Those of a project, by name. */
  async list(
    caller: Caller,
    project: string,
  ): Promise<{ readonly type: 'sets'; readonly sets: readonly VariableSet[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', placeOfSet({ id: '*', project }));
    if (refusal !== null) return refusal;
    return { type: 'sets', sets: await this.#ofProject(project) };
  }

  /** Those that runs of a workspace get, by name. */
  async ofWorkspace(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'sets'; readonly sets: readonly VariableSet[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    return { type: 'sets', sets: await this.#applying(address) };
  }

  async find(
    caller: Caller,
    id: string,
  ): Promise<{ readonly type: 'found'; readonly set: VariableSet } | { readonly type: 'absent' } | Shut> {
    const record = await this.#records.one(id);
    if (record === null) return { type: 'absent' };
    const set = { ...record, id };
    return (await this.#gate.on(caller, 'read', placeOfSet(set))) ?? { type: 'found', set };
  }

  /** Makes a set. */
  async make(caller: Caller, project: string, change: VariableSetChange): Promise<SetVariableSetAnswer> {
    const refusal = await this.#gate.on(caller, 'write', placeOfSet({ id: '*', project }));
    if (refusal !== null) return refusal;
    const own = await this.#ofProject(project);
    if (own.length >= OF_PROJECT_MAX) return { type: 'full', limit: OF_PROJECT_MAX };
    if ((await this.#records.known()).length >= SETS_MAX) return { type: 'full', limit: SETS_MAX };
    const id = `varset-${this.#entropy.uuid().replaceAll('-', '').slice(0, 16)}`;
    const createdAt = await this.#engine.now();
    const fresh = { name: '', description: '', global: false, priority: false, workspaces: [] };
    return this.#store(caller, { ...fresh, ...change, id, project, createdAt }, own);
  }

  /** @param change gets the set as it is */
  async set(
    caller: Caller,
    id: string,
    change: (before: VariableSet) => VariableSetChange,
  ): Promise<SetVariableSetAnswer> {
    const record = await this.#records.one(id);
    if (record === null) return { type: 'absent' };
    const before = { ...record, id };
    const refusal = await this.#gate.on(caller, 'write', placeOfSet(before));
    if (refusal !== null) return refusal;
    const others = (await this.#ofProject(record.project)).filter((set) => set.id !== id);
    return this.#store(caller, { ...before, ...change(before) }, others);
  }

  /** Forgets a set, with its variables. */
  async remove(
    caller: Caller,
    id: string,
  ): Promise<{ readonly type: 'removed' } | { readonly type: 'absent' } | Shut> {
    const record = await this.#records.one(id);
    if (record === null) return { type: 'absent' };
    const place = placeOfSet({ ...record, id });
    const refusal =
      (await this.#gate.on(caller, 'write', place)) ?? (await this.#gate.on(caller, 'delete', place));
    if (refusal !== null) return refusal;
    const forgotten = await this.#variables.forget(caller, place);
    if (forgotten.type !== 'forgotten') return forgotten;
    await this.#records.drop(caller, id);
    return { type: 'removed' };
  }

  /** Takes a workspace that is deleted out of all sets: another one of its name is not to have what it had. */
  async leave(caller: Caller, address: Address): Promise<{ readonly type: 'left' } | Shut> {
    const refusal = await this.#gate.on(caller, 'delete', address);
    if (refusal !== null) return refusal;
    const place = formatAddress(address);
    for (const { id, workspaces } of await this.#ofProject(address.project)) {
      if (!workspaces.includes(place)) continue;
      await this.#records.update(caller, id, (before) =>
        before === null ? null : { ...before, workspaces: before.workspaces.filter((one) => one !== place) },
      );
    }
    return { type: 'left' };
  }

  /** All that runs of a workspace get, one for each key, with its value: no caller gets them. */
  async ofRuns(address: Address): Promise<readonly RunsVariable[]> {
    const merged = await this.#merged(address, (place) => this.#variables.ofRuns(place));
    return merged.map(({ set, variable }) => ({ ...variable, overrides: set?.priority === true }));
  }

  /** What runs of a workspace get, one for each key, and the set that each is of; null for the workspace's own. */
  async effective(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'effective'; readonly variables: readonly OfSet<Variable>[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const variables = await this.#merged(address, (place) => this.#variables.shown(place));
    return { type: 'effective', variables };
  }

  /** One variable for each key and category: of sets, of the workspace, and of sets with priority, the later ones first. */
  async #merged<V extends StoredVariable>(
    address: Address,
    read: (place: Address) => Promise<readonly V[]>,
  ): Promise<readonly OfSet<V>[]> {
    const sets = await this.#applying(address);
    const layers: readonly (VariableSet | null)[] = [
      ...sets.filter(({ priority }) => !priority),
      null,
      ...sets.filter(({ priority }) => priority),
    ];
    const merged = new Map<string, OfSet<V>>();
    for (const set of layers) {
      for (const variable of await read(set === null ? address : placeOfSet(set)))
        merged.set(`${variable.category} ${variable.key}`, { set, variable });
    }
    return [...merged.values()];
  }

  /** Those of a workspace, such that a later one counts more: sets for all before sets for some, and of those the last names first. */
  async #applying(address: Address): Promise<readonly VariableSet[]> {
    const place = formatAddress(address);
    const all = (await this.#ofProject(address.project)).filter(
      ({ global, workspaces }) => global || workspaces.includes(place),
    );
    return all.toSorted((a, b) => Number(b.global) - Number(a.global) || (a.name < b.name ? 1 : -1));
  }

  async #ofProject(project: string): Promise<readonly VariableSet[]> {
    const all = await this.#records.list();
    return all
      .filter(({ record }) => record.project === project)
      .map(({ name: id, record }: NamedRecord<StoredVariableSet>) => ({ ...record, id }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #store(
    caller: Caller,
    set: VariableSet,
    others: readonly VariableSet[],
  ): Promise<SetVariableSetAnswer> {
    const problem = problemOf(set, others);
    if (problem !== null) return { type: 'invalid', problem };
    const { id, ...record } = set;
    await this.#records.put(caller, id, record);
    return { type: 'set', set };
  }
}

function problemOf(
  { name, description, workspaces }: VariableSet,
  others: readonly VariableSet[],
): string | null {
  if (name.trim() === '' || name.length > NAME_LENGTH_MAX)
    return `invalid name: expected 1 to ${NAME_LENGTH_MAX} characters`;
  if (others.some((set) => set.name === name)) return 'Name has already been taken';
  if (description.length > DESCRIPTION_LENGTH_MAX)
    return `invalid description: expected at most ${DESCRIPTION_LENGTH_MAX} characters`;
  return workspaces.length > WORKSPACES_MAX
    ? `too many workspaces: expected at most ${WORKSPACES_MAX}, or a set for all`
    : null;
}
