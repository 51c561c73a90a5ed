import type { Action } from '../../core/access.ts';
import type { Address } from '../../core/address.ts';
import type { LockCommand } from '../../core/command.ts';
import { hasEnded, isPlace, nextEnd } from '../../core/decide.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import { OPERATION_PLAN } from '../../core/lock-info.ts';
import type { Gone, Granted, OutcomeOf, OverQuota } from '../../core/outcome.ts';
import type { LockAlias, Holder, QueueEntry, World } from '../../core/world.ts';
import type { StateQuery } from '../../ports/engine.ts';
import { Budget } from '../budget.ts';
import { actorOf, type Caller, type Revoked, type Shut } from '../caller.ts';
import type { CommandExecutor } from '../executor.ts';
import type { Freeze, Freezes, Frozen } from '../freezes.ts';
import type { FirstWrites, Unannounced } from '../first-writes.ts';
import type { Gate } from '../gate.ts';
import type { Quotas } from '../quotas.ts';
import { listVisible } from '../listing.ts';
import type { LockInfos } from './lock-infos.ts';
import { pastHolds, type PastHold } from './past-holds.ts';
import type { ParkedRequests, ParkedRequest, WakeUp } from './parked-requests.ts';
import { UnheardGrants, type Undelivered } from './unheard.ts';

/** What a door asks for when its client asks for the lock. */
export interface LockAsk {
  readonly lockId: string;
  /** What the waiter is known by in line; the lock ID where the protocol's ask carries one. */
  readonly waiter?: string;
  readonly operation: string;
  /** The lock info as the client sent it; null where the protocol tells it after the grant, by {@link Locks.describe}. */
  readonly info: Uint8Array | null;
  /** How long the hold lasts unless it is renewed. Absent for one without an end. */
  readonly lease?: Milliseconds;
  /** How long nobody is granted the lock after the hold has ended by itself. Default 0. */
  readonly delay?: Milliseconds;
  /** The door can tell holders apart, so that plans may hold the lock together. */
  readonly tellsHoldersApart: boolean;
  readonly alias: LockAlias;
  /** Parks from the first ask on, so long at the most; null for the usual courtesy. */
  readonly wait: Milliseconds | null;
  /** How long the request may be held open, where its client would give up after some time. Default: no such limit. */
  readonly parkMax?: Milliseconds;
  /** Aborted when the client's connection closes; null where the request cannot be held open. */
  readonly gone: AbortSignal | null;
}

/** What a door asks to be released. */
export interface UnlockAsk {
  /** null for whatever lock is held: a break-in. */
  readonly lockId: string | null;
  /** The one alias to let go; null for all. */
  readonly alias: LockAlias | null;
  /** The client says that it has sent this before. Default false. */
  readonly resent?: boolean;
}

/** A grant, and what to do if the client never hears of it. */
export interface GrantedAnswer extends Granted {
  readonly undelivered: Undelivered;
}

export type LockAnswer =
  | GrantedAnswer
  | Exclude<OutcomeOf['lock'], Granted>
  /** The client has left; nobody hears the answer. */
  | Gone
  | Frozen
  | OverQuota
  | Unannounced
  | Shut;

export type UnlockAnswer = OutcomeOf['unlock'] | Shut;

/** Waiters that are shown of one line, and of each of many. */
const LINE_SHOWN_MAX = 1_000;
const LINE_LISTED_MAX = 100;
/** Holders and waiters after which a page of locks ends. */
const LISTED_MAX = 1_000;
/** What a network address may have of the requests that are held open: a proxy makes all clients one address. */
const WAITERS_PEER_SHARE = 3 / 4;

/** Who holds the lock of an address and who waits for it, for people to see. Lock infos are opened. */
export interface LockView {
  readonly address: Address;
  readonly holders: readonly Holder[];
  /** By lock ID, what is known of whether its client has heard of its grant ({@link UnheardGrants.has}). */
  readonly unheard: ReadonlyMap<string, boolean | null>;
  /** The first of those who wait. Who asked once, and has not come back, does not wait. */
  readonly line: readonly QueueEntry[];
  /** How many wait. */
  readonly waiting: number;
  /** What refuses applies here; null where nothing does. */
  readonly frozen: Freeze | null;
  /** How long the lock is usually held; null before it was first released. */
  readonly usualHold: Milliseconds | null;
}

export interface LockSettings {
  /** Lock requests that may be held open at a time; one credential may have half of them. */
  readonly waitersMax: number;
  /** Whether plans hold the lock together where a door can tell holders apart. */
  readonly plansShare: boolean;
  /** How long a lock must have been held to be broken by who does not name it. */
  readonly breakGuard: Milliseconds;
}

export type ShowAnswer = { readonly type: 'shown'; readonly lock: LockView } | Shut;

/** The lock and its waiting line. */
export class Locks {
  readonly #executor: CommandExecutor;
  readonly #lockInfos: LockInfos;
  readonly #parkedRequests: ParkedRequests;
  readonly #settings: LockSettings;
  readonly #gate: Gate;
  readonly #freezes: Freezes;
  readonly #quotas: Quotas;
  readonly #firstWrites: FirstWrites;
  readonly #unheard: UnheardGrants;
  readonly #waiters: Budget;

  constructor(options: {
    executor: CommandExecutor;
    lockInfos: LockInfos;
    parkedRequests: ParkedRequests;
    settings: LockSettings;
    gate: Gate;
    freezes: Freezes;
    quotas: Quotas;
    firstWrites: FirstWrites;
  }) {
    this.#executor = options.executor;
    this.#lockInfos = options.lockInfos;
    this.#parkedRequests = options.parkedRequests;
    this.#settings = options.settings;
    this.#gate = options.gate;
    this.#freezes = options.freezes;
    this.#quotas = options.quotas;
    this.#firstWrites = options.firstWrites;
    this.#unheard = new UnheardGrants(options.parkedRequests.node);
    const { waitersMax } = options.settings;
    this.#waiters = new Budget({
      max: waitersMax,
      // A crowd of CI jobs has one credential.
      subjectMax: Math.ceil(waitersMax / 2),
      peerMax: Math.ceil(waitersMax * WAITERS_PEER_SHARE),
    });
  }

  /** Why a caller may not do this here at all, asked before anything else of its request is tried; null if it may. */
  refuse(caller: Caller, action: Action, address: Address): Promise<Shut | null> {
    return this.#gate.on(caller, action, address);
  }

  /** Asks for the lock; the answer may take as long as the request is parked. */
  async lock(caller: Caller, address: Address, ask: LockAsk): Promise<LockAnswer> {
    const refusal = this.#gate.onForRules(caller, 'lock', address);
    if (refusal !== null) return refusal;
    const stopped =
      (await this.#freezes.stopsLock(caller, address, ask)) ??
      (await this.#quotas.stopsLock(caller, address, ask)) ??
      (await this.#firstWrites.stopsLock(address, ask.operation));
    if (stopped !== null) return stopped;
    const seat = ask.gone === null ? null : this.#parkedRequests.take(ask.gone, ask.parkMax);
    try {
      return await this.#ask(caller, this.#command(caller, address, ask, seat), seat);
    } finally {
      seat?.free();
    }
  }

  /** Releases the lock. Another's lock is broken only for an operator. */
  async unlock(caller: Caller, address: Address, ask: UnlockAsk): Promise<UnlockAnswer> {
    const mayBreak = (await this.#gate.on(caller, 'force-unlock', address)) === null;
    const refusal = mayBreak ? null : this.#gate.onForRules(caller, 'unlock', address);
    if (refusal !== null) return refusal;
    return this.#executor.execute({
      type: 'unlock',
      address,
      actor: actorOf(caller),
      lockId: ask.lockId,
      ...(ask.lockId === null ? { guard: this.#settings.breakGuard } : {}),
      alias: ask.alias,
      mayBreak,
      resent: ask.resent ?? false,
    });
  }

  /**
   * Gives a hold of the caller's another end.
   * @param lease how long it lasts from now on; null for a hold without an end
   * @param newId another lock ID that the hold has from now on
   */
  async renew(
    caller: Caller,
    address: Address,
    lockId: string,
    lease: Milliseconds | null,
    newId?: string,
  ): Promise<OutcomeOf['renew'] | Shut> {
    const refusal = this.#gate.onForRules(caller, 'lock', address);
    if (refusal !== null) return refusal;
    const command = { type: 'renew', address, actor: actorOf(caller), lockId, lease } as const;
    return this.#executor.execute(newId === undefined ? command : { ...command, newId });
  }

  /** Keeps the lock info of a lock that the caller holds, where its protocol tells it after the grant. */
  async describe(
    caller: Caller,
    address: Address,
    { lockId, operation, info }: { lockId: string; operation: string; info: Uint8Array },
  ): Promise<OutcomeOf['describe'] | Shut> {
    const refusal = this.#gate.onForRules(caller, 'lock', address);
    if (refusal !== null) return refusal;
    const sealed = this.#lockInfos.seal(address, info);
    return this.#executor.execute({
      type: 'describe',
      address,
      actor: actorOf(caller),
      lockId,
      operation,
      info: sealed,
    });
  }

  /** The lock and the line of an address, as they are now. */
  async show(caller: Caller, address: Address): Promise<ShowAnswer> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const { engine } = this.#executor;
    const world = await engine.world(address);
    const now = nextEnd(world) === null ? null : await engine.now();
    return { type: 'shown', lock: await this.#view(address, world, now, LINE_SHOWN_MAX) };
  }

  /** The last holds of a lock that have ended, as far as the audit log still tells of them. */
  async past(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'holds'; readonly holds: readonly PastHold[] } | Shut> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    return { type: 'holds', holds: await pastHolds(this.#executor.engine, address) };
  }

  /** The locks that are held on the states that a query asks for, as far as the caller may see them. */
  async list(
    caller: Caller,
    query: StateQuery,
  ): Promise<
    { readonly type: 'locks'; readonly locks: readonly LockView[]; readonly next: Address | null } | Shut
  > {
    const wanted = { ...query, locked: true, lines: true };
    const page = await listVisible(this.#executor.engine, this.#gate, caller, wanted);
    if (page.type !== 'page') return page;
    const { states, next } = page;
    const now = states.some(({ world }) => nextEnd(world) !== null)
      ? await this.#executor.engine.now()
      : null;
    const locks: LockView[] = [];
    let shown = 0;
    for (const { address, world } of states) {
      // However long the lines are, a page is no larger than what can be shown at once.
      if (shown >= LISTED_MAX) return { type: 'locks', locks, next: locks.at(-1)?.address ?? null };
      const lock = await this.#view(address, world, now, LINE_LISTED_MAX);
      shown += lock.holders.length + lock.line.length;
      locks.push(lock);
    }
    return { type: 'locks', locks, next };
  }

  /**
   * @param now by the engine's clock; null where no hold ends by itself
   * @param most waiters that are shown
   */
  async #view(address: Address, world: World, now: Instant | null, most: number): Promise<LockView> {
    const { holders: all, line, record } = world;
    const holders = now === null ? all : all.filter((holder) => !hasEnded(holder, now));
    const places = line.filter(isPlace);
    return {
      address,
      holders: this.#lockInfos.ofHolders(address, holders),
      unheard: new Map(holders.map((holder) => [holder.lockId, this.#unheard.has(holder)])),
      line: this.#lockInfos.ofLine(address, places.slice(0, most)),
      waiting: places.length,
      frozen: await this.#freezes.stops(address, ''),
      usualHold: record.typicalHold,
    };
  }

  #command(caller: Caller, address: Address, ask: LockAsk, seat: ParkedRequest | null): LockCommand {
    return {
      type: 'lock',
      address,
      actor: actorOf(caller),
      lockId: ask.lockId,
      waiter: ask.waiter ?? ask.lockId,
      operation: ask.operation,
      shared: this.#settings.plansShare && ask.tellsHoldersApart && ask.operation === OPERATION_PLAN,
      alias: ask.alias,
      lease: ask.lease ?? null,
      delay: ask.delay ?? 0,
      info: ask.info === null ? null : this.#lockInfos.seal(address, ask.info),
      seat: seat?.id ?? null,
      wait: ask.wait,
    };
  }

  async #ask(caller: Caller, command: LockCommand, seat: ParkedRequest | null): Promise<LockAnswer> {
    try {
      const outcome = await this.#executor.execute(command);
      const settled = seat === null ? outcome : await this.#waitIn(caller, seat, command, outcome);
      if (settled.type !== 'granted') return settled;
      const takeBack = (): void => this.#takeBack(command, seat);
      return {
        ...settled,
        undelivered: seat === null ? takeBack : this.#unheard.watched(seat.id, takeBack),
      };
    } catch (fault) {
      // Its client hears of no grant, so none may stand, nor be made to a request that is no longer there.
      this.#takeBack(command, seat);
      throw fault;
    }
  }

  #takeBack({ address, actor, waiter }: LockCommand, seat: ParkedRequest | null): void {
    if (seat !== null) this.#executor.executeLater({ type: 'leave', address, actor, waiter, seat: seat.id });
  }

  /** Holds a parked request open until it is granted or refused; at once where too many are open, and it keeps its place in line. */
  async #waitIn(
    caller: Caller,
    seat: ParkedRequest,
    command: LockCommand,
    first: OutcomeOf['lock'],
  ): Promise<OutcomeOf['lock'] | Gone | Frozen | Revoked> {
    if (first.type !== 'held' || first.parkFor === null) return first;
    const { address } = command;
    const end = this.#gate.watch(caller.identity, () => seat.bar(), { action: 'lock', address });
    const place = this.#waiters.begin(caller);
    try {
      return await this.#wait(caller, { seat, command, first, hasRoom: place.take(1) });
    } finally {
      place.release();
      end();
    }
  }

  async #wait(
    caller: Caller,
    {
      seat,
      command,
      first,
      hasRoom,
    }: { seat: ParkedRequest; command: LockCommand; first: OutcomeOf['lock']; hasRoom: boolean },
  ): Promise<OutcomeOf['lock'] | Gone | Frozen | Revoked> {
    const { address, actor, waiter } = command;
    const about = { address, actor, waiter, seat: seat.id };
    let outcome: OutcomeOf['lock'] | OutcomeOf['park-over'] | OutcomeOf['accept'] = first;
    while (outcome.type === 'held' && outcome.parkFor !== null) {
      const why: WakeUp = hasRoom ? await seat.wait(outcome.parkFor) : 'closing';
      const ended =
        why === 'gone'
          ? ({ type: 'gone' } as const)
          : ((await this.#gate.again(caller, { action: 'lock', address })) ??
            (await this.#freezes.stops(address, command.operation)));
      if (ended !== null) {
        // What was granted meanwhile goes to the next in line.
        await this.#executor.execute({ type: 'leave', ...about });
        return ended;
      }
      if (why !== 'handed') {
        outcome = await this.#executor.execute({ type: 'park-over', closing: why === 'closing', ...about });
        if (outcome.type === 'held') continue;
      }
      if (why === 'handed' || outcome.type === 'granted') {
        outcome = await this.#executor.execute({ type: 'accept', ...about });
      }
      // Broken before it was taken up: the client is still there and asks anew.
      if (outcome.type === 'not-locked') outcome = await this.#executor.execute(command);
    }
    return outcome;
  }
}
