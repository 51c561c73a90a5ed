import type { Action } from '../core/access.ts';
import type { Actor } from '../core/command.ts';
import type { Instant } from '../core/instant.ts';
import type { Expired } from '../core/outcome.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine, WaitingRequest } from '../ports/engine.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Log } from '../ports/log.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Signals } from '../ports/signals.ts';
import { Audit } from './audit.ts';
import { Budget, sharesOf } from './budget.ts';
import { refuseEverywhere, refuseInHouse, type Caller, type Forbidden } from './caller.ts';
import { Authenticators } from './identity/authenticators.ts';
import { Credentials } from './identity/credentials.ts';
import { CommandExecutor, type ResultListener } from './executor.ts';
import { Feed } from './feed.ts';
import { History } from './states/history.ts';
import { StateBodyWriter } from './states/body-writer.ts';
import { LockInfos } from './locks/lock-infos.ts';
import { Locks, type LockSettings } from './locks/locks.ts';
import { Nodes } from './locks/nodes.ts';
import { StateBodyReader } from './states/body-reader.ts';
import { ParkedRequests } from './locks/parked-requests.ts';
import { pruneWhatIsSuperseded } from './states/pruning.ts';
import { PROJECT_RECORDS, Projects, type ProjectSettings } from './projects.ts';
import type { RecordDefinition } from './records/define.ts';
import type { RecordOwner, Records } from './records/records.ts';
import { resealAll } from './rotation.ts';
import { States } from './states/states.ts';
import { requireWhole } from './transfer.ts';
import type { UploadSettings } from './states/upload-limits.ts';
import { Uploads } from './states/uploads.ts';

/** What a house is built from, and how it is to behave. */
export interface HouseOptions extends LockSettings, ProjectSettings, UploadSettings {
  readonly engine: Engine;
  readonly sealer: Sealer;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Bytes of the largest state. */
  readonly stateBytesMax: number;
  /** Bytes of all states that are being taken in at a time. */
  readonly inFlightBytesMax: number;
}

/** Who acts where the house itself keeps order. */
const NODE: Actor = { subject: 'house:node', door: 'house', expired: false };

/** What a house runs on. */
export interface HouseAbout {
  /** The name of its engine. */
  readonly engine: string;
  /** Whether several nodes may share what the engine keeps. */
  readonly manyNodes: boolean;
}

/** The house: sequences the rules and the ports, and knows no protocol and no SQL. Doors call its parts. */
export class House {
  readonly states: States;
  readonly locks: Locks;
  readonly lockInfos: LockInfos;
  readonly history: History;
  readonly identity: Authenticators;
  readonly credentials: Credentials;
  readonly projects: Projects;
  readonly uploads: Uploads;
  readonly audit: Audit;
  /** What is stored about addresses, as it comes. */
  readonly feed: Feed;
  readonly signals: Signals;
  /** Names this node and this start of it. */
  readonly node: string;
  readonly #engine: Engine;
  readonly #executor: CommandExecutor;
  readonly #nodes: Nodes;
  readonly #parkedRequests: ParkedRequests;
  readonly #bodyReader: StateBodyReader;
  readonly #inFlight: Budget;
  readonly #sealer: Sealer;
  readonly #recordOwner: RecordOwner;
  readonly #subscriptions: readonly (() => void)[];

  constructor(options: HouseOptions) {
    const { engine, sealer, signals, clock, entropy, log } = options;
    this.#engine = engine;
    this.signals = signals;
    this.#sealer = sealer;
    this.#recordOwner = { engine, clock };
    this.node = entropy.uuid();
    this.lockInfos = new LockInfos(sealer);
    this.#executor = new CommandExecutor({ engine, lockInfos: this.lockInfos, signals, log });
    this.#parkedRequests = new ParkedRequests(this.node, clock);
    this.#nodes = new Nodes({
      engine,
      signals,
      clock,
      log,
      node: this.node,
      parkedRequests: this.#parkedRequests,
      clear: (seats) => this.#clearSeats(seats),
      expire: async (address) => {
        await this.#executor.execute({ type: 'expire', address, actor: NODE });
      },
    });
    this.feed = new Feed({ engine, signals, clock, log });
    this.audit = new Audit({ engine, clock, log });
    this.credentials = new Credentials({ engine, sealer, clock, entropy });
    this.identity = new Authenticators({ credentials: this.credentials });
    this.projects = new Projects({
      engine,
      records: this.records(PROJECT_RECORDS),
      settings: options,
    });
    this.#inFlight = new Budget(sharesOf(options.inFlightBytesMax, options.stateBytesMax));
    this.uploads = new Uploads({
      records: this.#recordOwner,
      sealer,
      entropy,
      audit: this.audit,
      log,
      sizeMax: options.stateBytesMax,
      settings: options,
      inFlight: this.#inFlight,
    });
    this.locks = new Locks({
      executor: this.#executor,
      lockInfos: this.lockInfos,
      parkedRequests: this.#parkedRequests,
      settings: options,
    });
    const bodyWriter = new StateBodyWriter({
      sealer,
      newId: () => entropy.uuid(),
      sizeMax: options.stateBytesMax,
      inFlight: this.#inFlight,
    });
    this.#bodyReader = new StateBodyReader(engine, sealer);
    const shared = { executor: this.#executor, bodyWriter, bodyReader: this.#bodyReader };
    this.history = new History(shared);
    this.states = new States({ ...shared, audit: this.audit });
    this.#subscriptions = [
      pruneWhatIsSuperseded(this.#executor, this.projects),
      signals.subscribe(({ handovers }) => this.#parkedRequests.wake(handovers)),
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
  refuse(caller: Caller, action: Action): Forbidden | null {
    return refuseInHouse(caller, action);
  }

  /** Why a caller may not do this at any address; null if there may be one where it may. */
  refuseEverywhere(caller: Caller, action: Action): Forbidden | Expired | null {
    return refuseEverywhere(caller, action);
  }

  /** How many requests this node holds open for the lock. */
  get parked(): number {
    return this.#parkedRequests.parked;
  }

  /** Bytes that this node holds of bodies that are coming in. */
  get inFlightBytes(): number {
    return this.#inFlight.held;
  }

  /** Takes its place among the nodes of the house, and clears up after those that are gone. Before the first request. */
  async join(): Promise<void> {
    await requireWhole(this.#engine);
    await this.#nodes.join();
    this.uploads.keepSwept();
  }

  /**
   * Tells of every command about an address and what came of it, on this node alone: what is counted here is not counted
   * by another node as well.
   * @returns a function that ends it
   */
  listen(listener: ResultListener): () => void {
    return this.#executor.listen(listener);
  }

  /**
   * Clears up what requests left behind that nobody answers any more: parked waiters sleep and keep their place, and a
   * grant that was not taken up, so that nobody was told of it, is taken back.
   */
  async #clearSeats(seats: readonly WaitingRequest[]): Promise<void> {
    for (const { address, waiter, seat, granted } of seats) {
      const about = { address, actor: NODE, waiter, seat };
      await this.#executor.execute(
        granted ? { type: 'leave', unheard: true, ...about } : { type: 'park-over', closing: true, ...about },
      );
    }
  }

  /** Seals everything anew under the sealer's present key. */
  async reseal(progress?: (done: number) => void): Promise<number> {
    const done = await resealAll({ engine: this.#engine, sealer: this.#sealer }, progress);
    await this.credentials.refresh();
    return done;
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
    await this.audit.flush();
    this.#nodes.leave();
    for (const end of this.#subscriptions) end();
  }
}
