import type { Action } from '../core/access.ts';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { orderedId } from '../core/ordered-id.ts';
import { NO_SINK } from '../ports/audit-sink.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, StoredFigures } from '../ports/engine.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Signals } from '../ports/signals.ts';
import { Audit } from './audit.ts';
import { BACKUPS, Backups } from './backups.ts';
import { Budget, sharesOf, type Payer } from './budget.ts';
import type { Caller, Shut } from './caller.ts';
import type { Authenticators } from './identity/authenticators.ts';
import { Credentials } from './identity/credentials.ts';
import { KnownCredentials } from './identity/known-credentials.ts';
import { openEntrance } from './identity/entrance.ts';
import { RightsView } from './identity/rights.ts';
import type { PageSessions } from './identity/page-sessions.ts';
import type { Sessions } from './identity/sessions.ts';
import { CommandExecutor, type ResultListener } from './executor.ts';
import type { Explorer } from './explorer/explorer.ts';
import type { Graph } from './explorer/graph.ts';
import { openExplorer, type Exploration } from './explorer/open.ts';
import { Gate } from './gate.ts';
import { Feed } from './feed.ts';
import { ANNOUNCED_STATES, FirstWrites } from './first-writes.ts';
import { Freezes, FREEZES } from './freezes.ts';
import { History } from './states/history.ts';
import { StateBodyWriter } from './states/body-writer.ts';
import { guardWarning } from './locks/guard-warning.ts';
import { IdleLocks } from './locks/idle-locks.ts';
import { LockCensus, type LockFigures } from './locks/lock-figures.ts';
import { LockInfos } from './locks/lock-infos.ts';
import { Locks } from './locks/locks.ts';
import { Nodes } from './locks/nodes.ts';
import { ownOrder } from './locks/own-order.ts';
import { StateBodyReader } from './states/body-reader.ts';
import type { HouseAbout, HouseOptions } from './options.ts';
import type { Numbers } from './numbers/numbers.ts';
import { openNumbers } from './numbers/open.ts';
import type { Tally } from './numbers/tally.ts';
import { ParkedRequests } from './locks/parked-requests.ts';
import { pruneWhatIsSuperseded } from './states/pruning.ts';
import { PROJECT_RECORDS, Projects } from './projects.ts';
import type { RecordDefinition } from './records/define.ts';
import type { RecordOwner, Records } from './records/records.ts';
import { Quotas } from './quotas.ts';
import { Reencryption, type Reencrypted } from './reencryption.ts';
import { resealAll } from './rotation.ts';
import { MASTER_KEY_RECORDS, SealCount } from './seal-count.ts';
import { RefusedWrites } from './states/refused-writes.ts';
import { States } from './states/states.ts';
import { StoredCensus } from './stored-figures.ts';
import { Sweep } from './sweep.ts';
import { requireWhole } from './transfer.ts';
import { Uploads } from './states/uploads.ts';
import { NO_POST } from '../ports/webhook-post.ts';
import { Webhooks } from './webhooks/webhooks.ts';
import { openWorkspaces, type WorkspaceParts } from './workspaces/open.ts';
import { tapped } from './tapped.ts';
import { watched } from './watched.ts';
import { WATCHED } from './watches.ts';

/** The house: sequences the rules and the ports, and knows no protocol and no SQL. Doors call its parts. */
export class House {
  readonly states: States;
  readonly locks: Locks;
  readonly lockInfos: LockInfos;
  readonly history: History;
  readonly identity: Authenticators;
  readonly credentials: Credentials;
  readonly sessions: Sessions;
  /** Who has signed in at the page. */
  readonly pageSessions: PageSessions;
  readonly rights: RightsView;
  readonly explorer: Explorer;
  readonly graph: Graph;
  readonly numbers: Numbers;
  readonly projects: Projects;
  readonly uploads: Uploads;
  readonly refusedWrites: RefusedWrites;
  readonly freezes: Freezes;
  readonly firstWrites: FirstWrites;
  readonly audit: Audit;
  readonly backups: Backups;
  readonly webhooks: Webhooks;
  /** What clients keep to whom a state is a workspace. */
  readonly workspaces: WorkspaceParts;
  /** What is stored about addresses, as it comes. */
  readonly feed: Feed;
  readonly signals: Signals;
  /** Says who may what. */
  readonly gate: Gate;
  /** Names this node and this start of it. */
  readonly node: string;
  readonly #engine: Engine;
  readonly #executor: CommandExecutor;
  readonly #nodes: Nodes;
  readonly #clock: Clock;
  readonly #census: LockCensus;
  readonly #storedCensus: StoredCensus;
  readonly #idleLocks: IdleLocks;
  readonly #sweep: Sweep;
  readonly #parkedRequests: ParkedRequests;
  readonly #inFlight: Budget;
  readonly #sealer: Sealer;
  readonly #recordOwner: RecordOwner;
  readonly #closers: readonly (() => Promise<void>)[];
  readonly #exploration: Exploration;
  readonly #sealCount: SealCount;
  readonly #reencryption: Reencryption;
  readonly #subscriptions: readonly (() => void)[];

  constructor(options: HouseOptions) {
    const { sealer, signals, clock, entropy, log, sink = null } = options;
    const engine = sink === null ? options.engine : tapped(options.engine, sink, clock);
    this.#engine = engine;
    this.#clock = clock;
    this.#census = new LockCensus(engine);
    this.#storedCensus = new StoredCensus(engine, clock);
    this.#idleLocks = new IdleLocks(clock);
    this.signals = signals;
    this.#sealer = sealer;
    this.#recordOwner = { engine, clock };
    this.node = entropy.uuid();
    this.lockInfos = new LockInfos(sealer);
    this.#executor = new CommandExecutor({ engine, lockInfos: this.lockInfos, signals, clock, log });
    this.#parkedRequests = new ParkedRequests(this.node, clock);
    this.#nodes = new Nodes({
      engine,
      signals,
      clock,
      log,
      node: this.node,
      parkedRequests: this.#parkedRequests,
      ...ownOrder(this.#executor),
    });
    this.backups = new Backups(this.records(BACKUPS), engine);
    this.feed = new Feed({ engine, signals, clock, log });
    this.#sealCount = new SealCount({ records: this.records(MASTER_KEY_RECORDS), sealer, clock, log });
    const known = new KnownCredentials({ engine, sealer, clock, grace: options.expiryGrace });
    const gate = new Gate({ engine, clock, credentials: known });
    this.gate = gate;
    const owner = this.#recordOwner;
    const { numbers, tally } = openNumbers({ engine, owner, clock, log, gate, node: this.node });
    const onRefusal: Tally['refused'] = (address, why) => tally.refused(address, why);
    const audit = new Audit({
      engine,
      clock,
      log,
      gate,
      sink: sink ?? NO_SINK,
      kept: options.auditKept,
      onRefusal,
    });
    this.numbers = watched(numbers, audit, WATCHED.numbers);
    this.audit = watched(audit, audit, WATCHED.audit);
    const settings = options;
    const entering = { owner, sealer, clock, entropy, log, credentials: known, gate, audit, settings };
    const { identity, sessions, pageSessions, uses } = openEntrance(entering);
    this.rights = watched(new RightsView({ gate, known }), audit, WATCHED.rights);
    this.identity = identity;
    this.sessions = watched(sessions, audit, WATCHED.sessions);
    this.pageSessions = watched(pageSessions, audit, WATCHED.pageSessions);
    const projects = new Projects({
      engine,
      gate,
      records: this.records(PROJECT_RECORDS),
      settings: options,
    });
    this.projects = watched(projects, audit, WATCHED.projects);
    this.#inFlight = new Budget(sharesOf(options.inFlightBytesMax, options.stateBytesMax));
    const inFlight = this.#inFlight;
    this.#reencryption = new Reencryption({ engine, sealer, inFlight, clock, log });
    const keeping = { records: owner, sealer, entropy, audit: this.audit, log, settings, inFlight, gate };
    const uploads = new Uploads({ ...keeping, sizeMax: options.stateBytesMax });
    this.uploads = watched(uploads, audit, WATCHED.uploads);
    const freezes = new Freezes({ engine, clock, records: this.records(FREEZES), gate, audit: this.audit });
    const announced = this.records(ANNOUNCED_STATES);
    const firstWrites = new FirstWrites({ engine, projects, records: announced, gate, audit: this.audit });
    this.firstWrites = watched(firstWrites, audit, WATCHED.firstWrites);
    this.freezes = watched(freezes, audit, WATCHED.freezes);
    this.workspaces = openWorkspaces({ engine, entropy, sealer, gate, freezes, audit, records: owner });
    const quotas = new Quotas({ engine, clock, projects, log });
    const locks = new Locks({
      executor: this.#executor,
      lockInfos: this.lockInfos,
      parkedRequests: this.#parkedRequests,
      settings: options,
      gate,
      freezes,
      quotas,
      firstWrites,
    });
    this.locks = watched(locks, audit, WATCHED.locks);
    const common = { records: owner, engine, sealer, entropy, clock, log, gate };
    const credentials = new Credentials({
      ...common,
      known,
      locks,
      deadKept: options.deadCredentialsKept,
      uses,
    });
    this.credentials = watched(credentials, audit, WATCHED.credentials);
    const works = {
      'dead credentials': () => credentials.prune(),
      'old audit records': () => audit.prune(),
      'ended sessions': () => pageSessions.prune(),
      'old numbers': () => numbers.prune(),
    };
    this.#sweep = new Sweep({ works, clock, log });
    const webhooks = new Webhooks({
      ...common,
      audit: this.audit,
      backups: this.backups,
      settings: options.alarms,
      post: options.postWebhook ?? NO_POST,
      node: this.node,
    });
    this.webhooks = watched(webhooks, audit, WATCHED.webhooks);
    const bodyWriter = new StateBodyWriter({
      sealer,
      newId: () => orderedId(entropy.uuid(), clock.now()),
      sizeMax: options.stateBytesMax,
      inFlight,
    });
    const bodyReader = new StateBodyReader(engine, sealer);
    const shared = { executor: this.#executor, bodyWriter, bodyReader, gate, freezes, projects };
    this.history = watched(new History(shared), audit, WATCHED.history);
    const exploring = { ...options, engine, feed: this.feed, bodyReader, gate, node: this.node, owner };
    this.#exploration = openExplorer(exploring);
    const { explorer, graph, seen } = this.#exploration;
    this.explorer = watched(explorer, audit, WATCHED.explorer);
    this.graph = watched(graph, audit, WATCHED.graph);
    const refusedWrites = new RefusedWrites({ ...keeping, bodyReader });
    this.refusedWrites = watched(refusedWrites, audit, WATCHED.refusedWrites);
    const states = new States({ ...shared, audit, refusedWrites, firstWrites, seen });
    this.states = watched(states, audit, WATCHED.states);
    this.#closers = [() => this.#exploration.close(), () => uses.close(), () => tally.close()];
    this.#subscriptions = [
      pruneWhatIsSuperseded(this.#executor, projects),
      quotas.follow(this.#executor),
      signals.subscribe(({ handovers }) => this.#parkedRequests.wake(handovers)),
      this.#executor.listen((command, result) => this.#idleLocks.saw(command, result)),
      this.#executor.listen((command, result) => webhooks.saw(command, result)),
      this.#executor.listen((command, result) => seen.saw(command, result)),
      this.#executor.listen((command, result) => tally.saw(command, result)),
      this.#executor.listen(guardWarning(log)),
    ];
  }

  /** The records of one kind that the house remembers for a door, such as its tables. */
  records<T extends object>(definition: RecordDefinition<T>): Records<T> {
    return definition.of(this.#recordOwner);
  }

  /** What the house runs on, as far as its users may know. */
  get about(): HouseAbout {
    const { name, shared } = this.#engine.traits;
    return { engine: name, manyNodes: shared };
  }

  /** The time that the house goes by: every node of it the same. */
  now(): Promise<Instant> {
    return this.#engine.now();
  }

  /** Whether the house can read and write. @throws {EngineFault} when it cannot */
  check(): Promise<void> {
    return this.#engine.check();
  }

  /** Why a caller may not do this to the house as a whole; null if it may. */
  refuse(caller: Caller, action: Action): Shut | null {
    return this.#refused(caller, action, this.gate.inHouse(caller, action));
  }

  /** Why a caller may not do this at any address; null if there may be one where it may. */
  refuseEverywhere(caller: Caller, action: Action): Shut | null {
    return this.#refused(caller, action, this.gate.somewhere(caller, action));
  }

  #refused(caller: Caller, action: Action, refusal: Shut | null): Shut | null {
    if (refusal !== null) this.audit.refused(caller, action, null, refusal.type);
    return refusal;
  }

  /** How many requests this node holds open for the lock. */
  get parked(): number {
    return this.#parkedRequests.parked;
  }

  /** Bytes that this node holds of bodies that are coming in. */
  get inFlightBytes(): number {
    return this.#inFlight.held;
  }

  /** Whether the index is being brought up to date by more than one state. */
  get isIndexing(): boolean {
    return this.#exploration.isIndexing();
  }

  /** The locks that are held and who waits for them, in a few numbers that are at most ten seconds old. */
  lockFigures(): Promise<LockFigures> {
    return this.#census.figures(this.#clock.now());
  }

  /** How much is kept; counted seldom, since it takes time. @throws EngineFault when the engine cannot be asked */
  storedFigures(): Promise<StoredFigures> {
    return this.#storedCensus.figures();
  }

  /** How long locks were free on this node although somebody who had asked before still wanted them. */
  get lockIdle(): Milliseconds {
    return this.#idleLocks.total;
  }

  /** How long ago the engine took this node's sign of life; null where it is the only node. */
  get lag(): Milliseconds | null {
    return this.#nodes.lag;
  }

  /** The nodes that live, by the id of each start. */
  get nodes(): readonly string[] {
    return this.#nodes.living;
  }

  /** How often the master key has encrypted, on all nodes and in all starts, at most. */
  get seals(): number {
    return this.#sealCount.total;
  }

  /** Takes its place among the nodes of the house, and clears up after those that are gone. Before the first request. */
  async join(): Promise<void> {
    await requireWhole(this.#engine);
    await this.#nodes.join();
    this.#sealCount.start();
    this.#sweep.start();
    this.uploads.keepSwept();
    this.refusedWrites.keepSwept();
    this.webhooks.start();
    this.#exploration.start();
  }

  /**
   * Tells of every command about an address and what came of it, on this node alone: what is counted here is not counted
   * by another node as well.
   * @returns a function that ends it
   */
  listen(listener: ResultListener): () => void {
    return this.#executor.listen(listener);
  }

  /** Seals everything anew under the sealer's present key. */
  async reseal(progress?: (done: number) => void): Promise<number> {
    const done = await resealAll({ engine: this.#engine, sealer: this.#sealer }, progress);
    await this.credentials.refresh();
    await this.#sealCount.check();
    return done;
  }

  /** Whether encrypting bodies anew under the present master key was begun and is not done. */
  isReencrypting(): Promise<boolean> {
    return this.#sealCount.isReencrypting();
  }

  /** Remembers that bodies are to be encrypted anew under the present master key. */
  beginReencryption(): Promise<void> {
    return this.#sealCount.setReencrypting(true);
  }

  /** Encrypts bodies anew that were encrypted under a former master key, for some time. @param after null to begin */
  async reencrypt(payer: Payer, after: string | null, time: Milliseconds): Promise<Reencrypted> {
    const answer = await this.#reencryption.run(payer, after, time);
    await this.#sealCount.check();
    if (answer.next === null) await this.#sealCount.setReencrypting(false);
    return answer;
  }

  /** Sends parked waiters away, so that they come back elsewhere or later. Requests go on being answered. */
  closeLine(): void {
    this.#parkedRequests.close();
  }

  /** Finishes what was begun. The engine and the signals are closed by whoever opened them. */
  async close(): Promise<void> {
    this.closeLine();
    await this.#executor.settle();
    this.uploads.close();
    this.refusedWrites.close();
    await this.webhooks.close();
    for (const close of this.#closers) await close();
    await this.audit.close();
    await this.#sealCount.close();
    this.#nodes.leave();
    await this.#sweep.stop();
    for (const end of this.#subscriptions) end();
  }
}
