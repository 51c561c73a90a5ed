import { z } from 'zod';
import { formatAddress, isAddress, parseAddress, workspaceText, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import { leadsTo } from '../../core/runs/chain.ts';
import { subjectOf } from '../../core/subject.ts';
import type { Caller, Shut } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import { defineRecords, type RecordDefinition } from '../../house/records/define.ts';
import { RUN_TRIGGER_KIND } from '../../house/records/kinds.ts';
import type { Records } from '../../house/records/records.ts';
import type { Watches } from '../../house/watched.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import { newResourceId, resourceIdOf } from '../ids.ts';
import type { Run, RunBook } from '../run-book.ts';
import type { CreateAnswer } from '../runs.ts';
import type { AgainWanted } from '../wanted.ts';

/** Workspaces whose applies make runs of one, and triggers of all. */
const SOURCES_MAX = 20;
const TRIGGERS_MAX = 10_000;
/** Runs of which each has made the next. Loops are refused before; two that are made at the same moment end here. */
const CHAIN_MAX = 20;
/** The setting of a workspace by which such runs are applied without being confirmed, by HCP's name. */
const AUTO_APPLY_SETTING = 'auto-apply-run-trigger';
const TRIGGER_SUBJECT = subjectOf('house', 'run-trigger');

/** That an apply of one workspace makes a run of another, under an id. */
export interface StoredTrigger {
  /** The text form of the address whose applies count, and of the one whose runs are made. */
  readonly source: string;
  readonly target: string;
  readonly createdAt: Instant;
  readonly createdBy: string;
}

export const RUN_TRIGGERS: RecordDefinition<StoredTrigger> = defineRecords<StoredTrigger>(
  RUN_TRIGGER_KIND,
  z.object({ source: z.string(), target: z.string(), createdAt: z.number(), createdBy: z.string() }),
);

/** A trigger, as it is shown. */
export interface Trigger {
  readonly id: string;
  readonly source: Address;
  readonly target: Address;
  readonly createdAt: Instant;
  readonly createdBy: string;
}

export type OneTrigger =
  | { readonly type: 'trigger'; readonly trigger: Trigger }
  | { readonly type: 'absent' }
  | Shut;

/** Who is refused, and who looks, is noted. */
export const WATCHED_TRIGGERS: Watches<RunTriggers> = {
  create: { action: 'run-trigger-set' },
  list: { action: 'list-run-triggers', looks: true },
  look: { action: 'list-run-triggers', looks: true },
  remove: { action: 'run-trigger-drop' },
};

/** Runs that are made after an apply of another workspace. */
export class RunTriggers {
  readonly #house: House;
  readonly #book: Pick<RunBook, 'find' | 'open'>;
  readonly #entropy: Entropy;
  readonly #log: Log;
  readonly #records: Records<StoredTrigger>;
  readonly #createAgain: (
    caller: Caller,
    address: Address,
    wanted: AgainWanted,
    id: string,
  ) => Promise<CreateAnswer>;

  constructor(options: {
    house: House;
    book: Pick<RunBook, 'find' | 'open'>;
    entropy: Entropy;
    log: Log;
    createAgain: (caller: Caller, address: Address, wanted: AgainWanted, id: string) => Promise<CreateAnswer>;
  }) {
    this.#house = options.house;
    this.#book = options.book;
    this.#entropy = options.entropy;
    this.#log = options.log;
    this.#records = options.house.records(RUN_TRIGGERS);
    this.#createAgain = options.createAgain;
  }

  /** Has applies of one workspace make runs of another. For who may write the one whose runs are made, and read the other. */
  async create(
    caller: Caller,
    target: Address,
    source: Address,
  ): Promise<
    | { readonly type: 'created'; readonly trigger: Trigger }
    | { readonly type: 'invalid'; readonly problem: string }
    | { readonly type: 'absent' }
    | Shut
  > {
    const { gate, workspaces } = this.#house;
    const refusal = (await gate.on(caller, 'write', target)) ?? (await gate.on(caller, 'read', source));
    if (refusal !== null) return refusal;
    if (!(await workspaces.kept.isThere(target)) || !(await workspaces.kept.isThere(source)))
      return { type: 'absent' };
    const link = { source: formatAddress(source), target: formatAddress(target) };
    const known = await this.#records.list();
    const same = known.find(({ record }) => record.source === link.source && record.target === link.target);
    // A client whose answer was lost asks again.
    if (same !== undefined)
      return { type: 'created', trigger: shown(same.name, same.record, source, target) };
    const problem = problemOf(
      known.map(({ record }) => record),
      link,
    );
    if (problem !== null) return { type: 'invalid', problem };
    const id = newResourceId('rt', this.#entropy);
    const createdAt = await this.#house.now();
    const stored: StoredTrigger = { ...link, createdAt, createdBy: caller.identity.subject };
    await this.#records.put(null, id, stored);
    this.#house.audit.note(caller, 'run-trigger-set', target, { trigger: id, source: link.source });
    return { type: 'created', trigger: shown(id, stored, source, target) };
  }

  /** The triggers that make runs of a workspace, or that its applies set off, as far as the caller may know of the other. */
  async list(
    caller: Caller,
    address: Address,
    which: 'inbound' | 'outbound',
  ): Promise<{ readonly type: 'triggers'; readonly triggers: readonly Trigger[] } | Shut> {
    const refusal = await this.#house.gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const name = formatAddress(address);
    const triggers = (await this.#records.known()).flatMap(({ name: id, record }) => {
      if ((which === 'inbound' ? record.target : record.source) !== name) return [];
      const trigger = readTrigger(id, record);
      return trigger !== null && this.#shows(caller, trigger) ? [trigger] : [];
    });
    return { type: 'triggers', triggers: triggers.toSorted((a, b) => a.createdAt - b.createdAt) };
  }

  /** One, for who may know of both its ends. */
  async look(caller: Caller, id: string): Promise<OneTrigger> {
    const trigger = await this.#find(id);
    if (trigger === null) return this.#house.gate.known(caller.identity) ?? { type: 'absent' };
    const refusal = await this.#house.gate.on(caller, 'read', trigger.target);
    if (refusal !== null) return refusal;
    return this.#shows(caller, trigger) ? { type: 'trigger', trigger } : { type: 'absent' };
  }

  /** Forgets one. For who may write the workspace whose runs it makes. */
  async remove(
    caller: Caller,
    id: string,
  ): Promise<{ readonly type: 'removed' } | { readonly type: 'absent' } | Shut> {
    const trigger = await this.#find(id);
    if (trigger === null) return this.#house.gate.known(caller.identity) ?? { type: 'absent' };
    const refusal = await this.#house.gate.on(caller, 'write', trigger.target);
    if (refusal !== null) return refusal;
    await this.#records.drop(null, id);
    this.#house.audit.note(caller, 'run-trigger-drop', trigger.target, { trigger: id });
    return { type: 'removed' };
  }

  /** Makes the runs that an apply sets off, each once, however often this is told. */
  async ended(run: Run): Promise<void> {
    if (run.status !== 'applied') return;
    const source = formatAddress(run.address);
    const depth = (run.chain ?? 0) + 1;
    for (const { name, record } of await this.#records.known()) {
      const trigger = record.source === source ? readTrigger(name, record) : null;
      if (trigger === null) continue;
      const problem =
        depth > CHAIN_MAX ? 'too many runs have made one another' : await this.#make(run, trigger, depth);
      if (problem !== null)
        this.#log.warn('a run trigger made no run', { trigger: name, run: run.id, problem });
    }
  }

  /** Forgets those of workspaces that are gone. */
  async prune(): Promise<void> {
    const { kept } = this.#house.workspaces;
    for (const { name, record } of await this.#records.list()) {
      const trigger = readTrigger(name, record);
      const isWhole =
        trigger !== null && (await kept.isThere(trigger.source)) && (await kept.isThere(trigger.target));
      if (!isWhole) await this.#records.drop(null, name);
    }
  }

  /** @returns why no run was made; null where one was, now or before, or another will do */
  async #make(run: Run, { id, target }: Trigger, chain: number): Promise<string | null> {
    // The same apply makes the same run: whoever was stopped just then makes no second one.
    const made = resourceIdOf('run', `${run.id} ${id}`);
    if ((await this.#book.find(made)) !== null) return null;
    const name = formatAddress(target);
    const waits = (await this.#book.open()).some(
      ({ cause, status, address }) =>
        cause === 'run-trigger' && status === 'pending' && formatAddress(address) === name,
    );
    // One that has not begun will see what was applied now, too.
    if (waits) return null;
    const settings = (await this.#house.workspaces.kept.recordOf(target))?.settings ?? {};
    const wanted: AgainWanted = {
      planOnly: false,
      autoApply: settings[AUTO_APPLY_SETTING] === true,
      destroy: false,
      refresh: true,
      refreshOnly: false,
      targets: [],
      replaces: [],
      generatesConfiguration: false,
      message: `after ${run.id} was applied at ${formatAddress(run.address)}`.slice(0, 1_000),
      variables: [],
      program: null,
      version: null,
      cause: 'run-trigger',
      chain,
    };
    const answer = await this.#createAgain(callerFor(target), target, wanted, made);
    if (answer.type === 'created') return null;
    return answer.type === 'invalid' ? answer.problem : answer.type;
  }

  async #find(id: string): Promise<Trigger | null> {
    const record = await this.#records.one(id);
    return record === null ? null : readTrigger(id, record);
  }

  #shows({ identity }: Caller, { source, target }: Trigger): boolean {
    const { gate } = this.#house;
    return gate.shows(identity, 'read', source) && gate.shows(identity, 'read', target);
  }
}

function problemOf(
  known: readonly StoredTrigger[],
  { source, target }: { source: string; target: string },
): string | null {
  if (leadsTo(known, target, source))
    return `applies of ${target} make runs of ${source} already, or it is the same: a run would make itself again and again`;
  if (known.filter((one) => one.target === target).length >= SOURCES_MAX)
    return `${target} has ${SOURCES_MAX} run triggers already: remove one`;
  return known.length >= TRIGGERS_MAX ? `there are ${TRIGGERS_MAX} run triggers already: remove one` : null;
}

/** The house, where it makes a run of one workspace: it reaches nothing else. */
function callerFor({ project, key, workspace }: Address): Caller {
  const pattern = `${project}/${key}@${workspaceText(workspace)}`;
  return { identity: { subject: TRIGGER_SUBJECT, grants: [{ role: 'writer', pattern }] }, door: 'run' };
}

function readTrigger(id: string, record: StoredTrigger): Trigger | null {
  const [source, target] = [parseAddress(record.source), parseAddress(record.target)];
  return isAddress(source) && isAddress(target) ? shown(id, record, source, target) : null;
}

function shown(
  id: string,
  { createdAt, createdBy }: StoredTrigger,
  source: Address,
  target: Address,
): Trigger {
  return { id, source, target, createdAt, createdBy };
}
