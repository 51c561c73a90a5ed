import { mayActOn } from '../core/access.ts';
import { formatAddress, type Address } from '../core/address.ts';
import type { LockCommand } from '../core/command.ts';
import type { Milliseconds } from '../core/instant.ts';
import { OPERATION_PLAN } from '../core/lock-info.ts';
import type { Granted, Held, Outcome, Released, ReleasedBefore } from '../core/outcome.ts';
import type { Face, Holder, Place, World } from '../core/world.ts';
import type { StateQuery } from '../ports/engine.ts';
import type { Sealer } from '../ports/sealer.ts';
import { actorOf, isShutOut, refuseOn, type Caller, type Forbidden } from './caller.ts';
import type { Desk } from './desk.ts';
import { listVisible } from './listing.ts';
import type { Parking, Seat } from './parking.ts';

/** What a door asks for when its client asks for the lock. */
export interface LockAsk {
  readonly lockId: string;
  /** What the waiter is known by in line; the lock ID where the protocol's ask carries one. */
  readonly waiter?: string;
  readonly operation: string;
  /** The lock info as the client sent it. */
  readonly info: Uint8Array;
  /** The door can tell holders apart, so that plans may hold the lock together. */
  readonly tellsHoldersApart: boolean;
  readonly face: Face;
  /** Parks from the first ask on, so long at the most; null for the usual courtesy. */
  readonly wait: Milliseconds | null;
  /** Aborted when the client's connection closes; null where the request cannot be held open. */
  readonly gone: AbortSignal | null;
}

/** A grant, and what to do if the client never hears of it. */
export interface GrantedAnswer extends Granted {
  readonly undelivered: () => void;
}

export type LockAnswer =
  | GrantedAnswer
  /** The holders' lock infos are opened: as their clients sent them. */
  | Held
  | ReleasedBefore
  /** The client has left; nobody hears the answer. */
  | { readonly type: 'gone' }
  | { readonly type: 'expired' }
  | Forbidden;

export type UnlockAnswer =
  | Released
  | Extract<Outcome, { type: 'not-locked' | 'not-holder' | 'may-not-break' | 'expired' }>
  | Forbidden;

/** Who holds the lock of an address and who waits for it, for people to see. Lock infos are opened. */
export interface LockView {
  readonly address: Address;
  readonly holders: readonly Holder[];
  readonly line: readonly Place[];
}

export interface LockSettings {
  /** Whether plans hold the lock together where a door can tell holders apart. */
  readonly plansShare: boolean;
}

/** The lock and its waiting line. */
export class Locks {
  readonly #desk: Desk;
  readonly #sealer: Sealer;
  readonly #parking: Parking;
  readonly #settings: LockSettings;

  constructor(options: { desk: Desk; sealer: Sealer; parking: Parking; settings: LockSettings }) {
    this.#desk = options.desk;
    this.#sealer = options.sealer;
    this.#parking = options.parking;
    this.#settings = options.settings;
  }

  /** Asks for the lock; the answer may take as long as the request is parked. */
  async lock(caller: Caller, address: Address, ask: LockAsk): Promise<LockAnswer> {
    const refusal = refuseOn(caller, 'lock', address);
    if (refusal !== null) return refusal;
    const seat = ask.gone === null ? null : this.#parking.take(ask.gone);
    try {
      const command = this.#command(caller, address, ask, seat);
      const outcome = await this.#desk.one(command);
      const settled = seat === null ? outcome : await this.#waitIn(seat, command, outcome);
      return this.#answer(settled, command, seat);
    } finally {
      seat?.free();
    }
  }

  /**
   * Releases the lock. Another's lock is broken only for an operator.
   * @param lockId null for whatever lock is held: a break-in
   * @param face the one face to let go; null for all
   * @param resent the client says that it has sent this before
   */
  async unlock(
    caller: Caller,
    address: Address,
    lockId: string | null,
    face: Face | null,
    resent: boolean = false,
  ): Promise<UnlockAnswer> {
    const mayBreak = mayActOn(caller.identity.grants, 'force-unlock', address) && !caller.identity.expired;
    const refusal = mayBreak ? null : refuseOn(caller, 'unlock', address);
    if (refusal !== null) return refusal;
    const outcome = await this.#desk.one({
      type: 'unlock',
      address,
      actor: actorOf(caller),
      lockId,
      face,
      mayBreak,
      resent,
    });
    switch (outcome.type) {
      case 'released':
      case 'not-locked':
      case 'expired':
        return outcome;
      case 'not-holder':
      case 'may-not-break':
        return { ...outcome, holders: this.openHolders(address, outcome.holders) };
      default:
        throw new Error(`an unlock ended as ${outcome.type}`);
    }
  }

  /** The lock and the line of an address, as they are now. */
  async show(caller: Caller, address: Address): Promise<LockView | { readonly type: 'expired' } | Forbidden> {
    const refusal = refuseOn(caller, 'read', address);
    if (refusal !== null) return refusal;
    const world = await this.#desk.engine.world(address);
    return isShutOut(caller, world) ? { type: 'expired' } : this.#view(address, world);
  }

  /** The locks that are held on the states that a query asks for, as far as the caller may see them. */
  async list(
    caller: Caller,
    query: StateQuery,
  ): Promise<{ readonly locks: readonly LockView[]; readonly next: Address | null }> {
    const { states, next } = await listVisible(this.#desk.engine, caller, { ...query, locked: true });
    return { locks: states.map(({ address, world }) => this.#view(address, world)), next };
  }

  /** The same holders, with their lock infos as the clients sent them. */
  openHolders(address: Address, holders: readonly Holder[]): readonly Holder[] {
    return holders.map((holder) => ({ ...holder, info: this.#open(address, holder.info) }));
  }

  /** The same places, with their lock infos as the clients sent them. */
  openLine(address: Address, line: readonly Place[]): readonly Place[] {
    return line.map((place) => ({ ...place, info: this.#open(address, place.info) }));
  }

  #view(address: Address, { holders, line }: World): LockView {
    return { address, holders: this.openHolders(address, holders), line: this.openLine(address, line) };
  }

  #open(address: Address, info: Uint8Array): Uint8Array {
    return this.#sealer.open(info, lockInfoContext(address));
  }

  #command(caller: Caller, address: Address, ask: LockAsk, seat: Seat | null): LockCommand {
    return {
      type: 'lock',
      address,
      actor: actorOf(caller),
      lockId: ask.lockId,
      waiter: ask.waiter ?? ask.lockId,
      operation: ask.operation,
      shared: this.#settings.plansShare && ask.tellsHoldersApart && ask.operation === OPERATION_PLAN,
      face: ask.face,
      info: this.#sealer.seal(ask.info, lockInfoContext(address)),
      seat: seat?.id ?? null,
      wait: ask.wait,
    };
  }

  /** Sits a parked request out, until it is granted or refused. */
  async #waitIn(seat: Seat, command: LockCommand, first: Outcome): Promise<Outcome> {
    const { address, actor, waiter } = command;
    const about = { address, actor, waiter, seat: seat.id };
    let outcome = first;
    while (outcome.type === 'held' && outcome.parkFor !== null) {
      const why = await seat.wait(outcome.parkFor);
      if (why === 'gone') {
        await this.#desk.one({ type: 'leave', ...about });
        return { type: 'gone' };
      }
      if (why !== 'handed') {
        outcome = await this.#desk.one({ type: 'park-over', closing: why === 'closing', ...about });
        if (outcome.type === 'held') continue;
      }
      if (why === 'handed' || outcome.type === 'granted') {
        outcome = await this.#desk.one({ type: 'accept', ...about });
      }
      // Broken before it was taken up: the client is still there and asks anew.
      if (outcome.type === 'not-locked') outcome = await this.#desk.one(command);
    }
    return outcome;
  }

  #answer(outcome: Outcome, command: LockCommand, seat: Seat | null): LockAnswer {
    const { address, actor, waiter } = command;
    switch (outcome.type) {
      case 'granted':
        return {
          ...outcome,
          undelivered: () => {
            if (seat !== null) this.#desk.later({ type: 'leave', address, actor, waiter, seat: seat.id });
          },
        };
      case 'held':
        return { ...outcome, holders: this.openHolders(address, outcome.holders) };
      case 'gone':
      case 'expired':
      case 'released-before':
        return outcome;
      default:
        throw new Error(`a lock request ended as ${outcome.type}`);
    }
  }
}

/** What a lock info's sealing is bound to. */
export function lockInfoContext(address: Address): string {
  return `lock-info ${formatAddress(address)}`;
}
