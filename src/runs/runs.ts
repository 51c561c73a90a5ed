import { isSameAddress, type Address } from '../core/address.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { currentRun, placesInQueue } from '../core/runs/line.ts';
import { newRun, type RunAction } from '../core/runs/status.ts';
import type { Caller, Shut } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { AgentJobs } from './agents/jobs.ts';
import type { AgentPools } from './agents/pools.ts';
import type { Executions } from './executions.ts';
import type { Configurations } from './configurations.ts';
import type { CurrentConfigurations } from './current-configurations.ts';
import type { Drift } from './drift/drift.ts';
import type { Notifications } from './notifications/notifications.ts';
import type { RunIdentity } from './identity/run-identity.ts';
import type { RunCensus, RunFigures } from './figures.ts';
import { newResourceId } from './ids.ts';
import type { LogStretch, RunLogs } from './logs.ts';
import type { RunPrograms } from './programs.ts';
import type { Phase, RunPart } from './records.ts';
import type { Run, RunBook } from './run-book.ts';
import type { RunTickets } from './tickets.ts';
import { wantedProblem, type AgainWanted, type RunWanted } from './wanted.ts';
import type { RunTriggers } from './triggers/triggers.ts';
import type { RunWorker } from './worker.ts';

/** Runs of a workspace that are not over at a time, and of the server. */
const OPEN_MAX = 200;
const OPEN_OF_ALL_MAX = 5_000;

export type CreateAnswer =
  | { readonly type: 'created'; readonly run: Run }
  | { readonly type: 'invalid'; readonly problem: string }
  | { readonly type: 'absent' }
  | Shut;

export type ShowAnswer = { readonly type: 'shown'; readonly run: Run } | { readonly type: 'absent' } | Shut;

export type ActAnswer =
  | { readonly type: 'done'; readonly run: Run }
  | { readonly type: 'refused'; readonly run: Run }
  | { readonly type: 'absent' }
  | Shut;

/** A workspace's runs, as far as others have to wait for them. */
export interface LineView {
  /** Its current run; null for none. */
  readonly current: Run | null;
  /** Runs of the server that are to be executed before each, and itself, by id; none for one that waits for none. */
  readonly places: ReadonlyMap<string, number>;
}

/** The runs of the house, as doors see them. */
export class Runs {
  readonly configurations: Configurations;
  /** What each workspace was applied with last. */
  readonly current: CurrentConfigurations;
  readonly drift: Drift;
  readonly triggers: RunTriggers;
  /** Where the runs of a workspace are executed. */
  readonly executions: Executions;
  readonly notifications: Notifications;
  readonly programs: RunPrograms;
  readonly tickets: RunTickets;
  readonly pools: AgentPools;
  /** What agents do, once they were let in by their pool. */
  readonly jobs: AgentJobs;
  /** null where the server issues no tokens for runs. */
  readonly identity: RunIdentity | null;
  /** Whether this server executes runs itself, too. */
  readonly executesHere: boolean;
  readonly #house: House;
  readonly #book: RunBook;
  readonly #logs: RunLogs;
  readonly #worker: RunWorker;
  readonly #entropy: Entropy;
  readonly #census: RunCensus;

  constructor(options: {
    house: House;
    book: RunBook;
    logs: RunLogs;
    worker: RunWorker;
    configurations: Configurations;
    current: CurrentConfigurations;
    drift: Drift;
    triggers: RunTriggers;
    executions: Executions;
    notifications: Notifications;
    programs: RunPrograms;
    tickets: RunTickets;
    pools: AgentPools;
    jobs: AgentJobs;
    identity: RunIdentity | null;
    executesHere: boolean;
    entropy: Entropy;
    census: RunCensus;
  }) {
    this.#house = options.house;
    this.#book = options.book;
    this.#logs = options.logs;
    this.#worker = options.worker;
    this.#entropy = options.entropy;
    this.#census = options.census;
    this.configurations = options.configurations;
    this.current = options.current;
    this.drift = options.drift;
    this.triggers = options.triggers;
    this.executions = options.executions;
    this.notifications = options.notifications;
    this.programs = options.programs;
    this.tickets = options.tickets;
    this.pools = options.pools;
    this.jobs = options.jobs;
    this.identity = options.identity;
    this.executesHere = options.executesHere;
  }

  /** What is executed and waits, in numbers without names: for everybody who is let in. */
  figures(): Promise<RunFigures> {
    return this.#census.figures();
  }

  /** Makes a run. A second one of the same configuration is the first: a client whose answer was lost asks again. */
  async create(caller: Caller, wanted: RunWanted): Promise<CreateAnswer> {
    return this.#create(caller, wanted, (configuration, id) => this.configurations.claim(configuration, id));
  }

  /**
   * Makes a run of the configuration that a workspace was applied with last. Each is a run of its own.
   * @param id what it is to be called, where that was noted before
   */
  async createAgain(
    caller: Caller,
    address: Address,
    wanted: AgainWanted,
    id?: string,
  ): Promise<CreateAnswer> {
    const refusal = await this.#house.gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const current = await this.current.of(address);
    if (current === null || !(await this.#house.workspaces.kept.isThere(address)))
      return invalid('no run has applied a configuration of this workspace that is kept: upload one');
    const { configuration, directory, workspaceName, version } = current;
    const program = wanted.program ?? current.program;
    const known = program === current.program ? version : null;
    const whole = {
      ...wanted,
      configuration,
      directory,
      workspaceName,
      program,
      version: wanted.version ?? known,
      saves: false,
    };
    return this.#create(caller, whole, async (_configuration, made) => made, id);
  }

  /** @param claim says which run of the configuration is to be the one */
  async #create(
    caller: Caller,
    wanted: RunWanted,
    claim: (configuration: string, id: string) => Promise<string | null>,
    id: string = newResourceId('run', this.#entropy),
  ): Promise<CreateAnswer> {
    const configuration = await this.configurations.find(wanted.configuration);
    if (configuration === null) return { type: 'absent' };
    const { address } = configuration;
    const refusal = await this.#house.gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    if (configuration.status !== 'uploaded')
      return invalid(configuration.problem ?? 'the configuration was not uploaded yet');
    const place = await this.executions.placeFor(address, wanted);
    if ('problem' in place) return invalid(place.problem);
    const problem = wantedProblem(wanted, address) ?? (await this.#roomProblem(address));
    if (problem !== null) return invalid(problem);
    const first = await claim(configuration.id, id);
    if (first !== id) return this.#again(caller, first);
    if (wanted.variables.length > 0) {
      await this.#book.putPart(id, 'variables', Buffer.from(JSON.stringify(wanted.variables)));
    }
    const { destroy, refresh, refreshOnly, targets, replaces, generatesConfiguration, autoApply } = wanted;
    const saves = wanted.saves || configuration.provisional;
    const createdAt = await this.#house.now();
    const run: Run = {
      id,
      ...newRun(configuration.speculative || wanted.planOnly === true ? 'plan' : saves ? 'saved' : 'apply'),
      address,
      configuration: configuration.id,
      createdAt,
      createdBy: caller.identity.subject,
      message: wanted.message,
      task: { destroy, refresh, refreshOnly, targets, replaces, generatesConfiguration, autoApply },
      program: wanted.program,
      version: place.version,
      pool: place.pool,
      structured: wanted.structured ?? false,
      directory: wanted.directory,
      workspaceName: wanted.workspaceName,
      cause: wanted.cause,
      chain: wanted.chain,
      lockId: this.#entropy.uuid(),
      node: this.#house.node,
      times: { pending: createdAt },
      job: null,
      plannedOn: null,
      counts: null,
      problem: null,
    };
    await this.#book.add(run);
    this.#house.audit.note(caller, 'run-create', address, { run: id, kind: run.kind });
    this.#worker.tend(run);
    return { type: 'created', run };
  }

  /**
   * A run that the caller may see.
   * @param isPlain it is the run alone that is read, as a client does before it goes on to the apply
   */
  async show(caller: Caller, id: string, isPlain = false): Promise<ShowAnswer> {
    const run = await this.#book.find(id);
    if (run === null) return { type: 'absent' };
    const refusal = await this.#house.gate.on(caller, 'read', run.address);
    if (refusal !== null) return refusal;
    if (isPlain) this.#worker.tended(id)?.runRead();
    return { type: 'shown', run };
  }

  /** The runs of a workspace, newest first. */
  async list(
    caller: Caller,
    address: Address,
    { from, limit }: { from: number; limit: number },
  ): Promise<{ readonly type: 'runs'; readonly runs: readonly Run[]; readonly total: number } | Shut> {
    const refusal = await this.#house.gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const ids = await this.#book.idsOf(address);
    const runs = await Promise.all(ids.slice(from, from + limit).map((id) => this.#book.find(id)));
    return { type: 'runs', runs: runs.filter((run) => run !== null), total: ids.length };
  }

  /** Asks something of a run. Asked again by the same caller, it is done already. */
  async act(caller: Caller, id: string, action: RunAction): Promise<ActAnswer> {
    const before = await this.#book.find(id);
    if (before === null) return { type: 'absent' };
    const { address } = before;
    const refusal = await this.#house.gate.on(caller, 'write', address);
    if (refusal !== null) return refusal;
    const at = await this.#house.now();
    const event = { type: action, by: caller.identity.subject, at };
    const change = await this.#book.happen(id, event, action === 'force-cancel' ? { job: null } : {});
    if (change.type === 'absent') return { type: 'absent' };
    if (change.type === 'refused') return { type: 'refused', run: change.run };
    if (change.type === 'changed') this.#house.audit.note(caller, `run-${action}`, address, { run: id });
    return { type: 'done', run: change.run };
  }

  /**
   * A stretch of a log, for who knows where it is: that is told to those alone who may see the run.
   * @returns null when there is no such run
   */
  async log(
    id: string,
    phase: Phase,
    at: { readonly offset: number; readonly limit: number },
    terms: { readonly wait: Milliseconds; readonly gone?: AbortSignal },
  ): Promise<LogStretch | null> {
    const run = await this.#book.find(id);
    if (run === null) return null;
    const stretch = await this.#logs.read(id, phase, at, terms);
    if (stretch.ended && phase === 'plan') this.#worker.tended(id)?.logRead();
    return stretch;
  }

  /** What was kept beside a run; null where nothing was. */
  async part(
    caller: Caller,
    id: string,
    part: RunPart,
  ): Promise<
    { readonly type: 'part'; readonly bytes: Uint8Array | null } | { readonly type: 'absent' } | Shut
  > {
    const answer = await this.show(caller, id);
    return answer.type === 'shown' ? { type: 'part', bytes: await this.#book.part(id, part) } : answer;
  }

  /** The current run of a workspace, and who has to wait for whom. For those who were let in already. */
  async line(address: Address): Promise<LineView> {
    const open = await this.#book.open();
    const here = open.filter(({ address: other }) => isSameAddress(other, address));
    return {
      current: currentRun(here),
      places: placesInQueue(open),
    };
  }

  /** How many phases this node executes now. */
  get executing(): number {
    return this.#worker.executing;
  }

  /** The runs that are not over, each with how many are to be executed before it, itself among them; 0 for one that waits for none. */
  async queue(): Promise<readonly { readonly run: Run; readonly place: number }[]> {
    const open = await this.#book.open();
    const places = placesInQueue(open);
    return open.map((run) => ({ run, place: places.get(run.id) ?? 0 })).toSorted((a, b) => a.place - b.place);
  }

  /** Forgets runs that ended before a moment, and configurations made before another that nobody needs. */
  async prune(before: Instant, leftBefore: Instant): Promise<void> {
    const kept = await this.current.kept();
    const { ended, configurations } = await this.#book.endedBefore(before);
    for (const run of ended) {
      await this.#logs.drop(run.id);
      await this.#book.drop(run);
    }
    await this.configurations.dropAllBut(new Set([...kept, ...configurations]), leftBefore);
  }

  async #again(caller: Caller, id: string | null): Promise<CreateAnswer> {
    const answer = id === null ? ({ type: 'absent' } as const) : await this.show(caller, id);
    return answer.type === 'shown' ? { type: 'created', run: answer.run } : answer;
  }

  async #roomProblem(address: Address): Promise<string | null> {
    const open = await this.#book.open();
    const here = open.filter((run) => isSameAddress(run.address, address)).length;
    if (here >= OPEN_MAX) return `the workspace has ${OPEN_MAX} runs that are not over: discard some`;
    return open.length >= OPEN_OF_ALL_MAX
      ? 'the server has too many runs that are not over: try later'
      : null;
  }
}

function invalid(problem: string): CreateAnswer {
  return { type: 'invalid', problem };
}
