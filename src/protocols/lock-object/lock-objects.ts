import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import { LOCK_INFO_TAKEN_BYTES_MAX, parseLockRequest } from '../../core/lock-info.ts';
import type { LockAlias } from '../../core/world.ts';
import type { Caller, Shut } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { LockAnswer, UnlockAnswer } from '../../house/locks/locks.ts';
import type { DoorRequest } from '../door.ts';
import { pageOf } from '../page-link.ts';
import { CopyMemory } from './copy-memory.ts';
import { FenceMemory } from './fence-memory.ts';
import { LockMemory } from './lock-memory.ts';
import { RefusalMemory, type Viewer } from './refusal-memory.ts';
import { isRun } from './run.ts';
import { shownLock, toldLock, type SeenLock } from './shown-lock.ts';

/** What a client's put of a lock asks. */
export interface TakeAsk {
  readonly info: Uint8Array;
  readonly alias: LockAlias;
  readonly request: DoorRequest;
  /** A release names the very lock that it ends, so that plans may hold it together. Default false. */
  readonly tellsHoldersApart?: boolean;
  /** How a client that is refused looks at the lock, each look by a name of its own; the alias alone if it looks once. */
  readonly looks?: readonly string[];
}

/**
 * The lock of an address where it is an object or an item to the protocol: put with its lock info, read, and deleted by
 * whoever has just read it. One for all doors, so that a lock that was looked at by one is meant by the other, too.
 */
export class LockObjects {
  readonly #house: House;
  readonly #isResent: (request: DoorRequest) => boolean;
  readonly #callIdOf: (request: DoorRequest) => string | null;
  readonly #memory: LockMemory;
  readonly #refusals: RefusalMemory;
  readonly #fences = new FenceMemory();
  /** Which states clients have copied to a new place just now. */
  readonly copies: CopyMemory;

  /**
   * @param options `isResent`: whether the client says that it has sent this request before; `callIdOf`: what it names a call by
   *   of which this is one attempt, null where it does not
   */
  constructor(
    house: House,
    options: {
      now: () => Instant;
      isResent: (request: DoorRequest) => boolean;
      callIdOf: (request: DoorRequest) => string | null;
    },
  ) {
    const { now, isResent, callIdOf } = options;
    this.#house = house;
    this.#isResent = isResent;
    this.#callIdOf = callIdOf;
    this.#memory = new LockMemory(house);
    this.#refusals = new RefusalMemory(now);
    this.copies = new CopyMemory(now);
  }

  /** Asks for the lock with the lock info that the client would store. */
  async take(
    caller: Caller,
    address: Address,
    { info, alias, request, tellsHoldersApart = false, looks = [alias] }: TakeAsk,
  ): Promise<LockAnswer | { readonly type: 'no-lock-info'; readonly problem: string }> {
    if (info.length > LOCK_INFO_TAKEN_BYTES_MAX) {
      const problem = `the lock info is too large: expected at most ${LOCK_INFO_TAKEN_BYTES_MAX} bytes`;
      return { type: 'no-lock-info', problem };
    }
    const parsed = parseLockRequest(info);
    if ('problem' in parsed) return { type: 'no-lock-info', problem: parsed.problem };
    const { id } = parsed.info;
    const answer = await this.#house.locks.lock(caller, address, {
      lockId: id,
      operation: parsed.info.operation,
      info,
      tellsHoldersApart,
      alias,
      wait: null,
      gone: request.gone,
    });
    const viewers = looks.map((look) => viewerOf(caller, request, address, look));
    if (answer.type === 'granted') {
      this.#fences.granted(address, answer.holder);
      for (const viewer of viewers) this.#refusals.granted(viewer, id);
    }
    const holding = answer.type === 'held' ? shownLock(answer.holders) : null;
    if (answer.type === 'held' && holding !== null) {
      // Terraform prints `Info` and compares no bytes; other programs may take them for the holder's own.
      const told = isRun(request) ? toldLock(holding, answer, pageOf(request, address)) : holding;
      // Another run of the same client may be the holder.
      const mayHold = holding.holder.subject === caller.identity.subject;
      for (const viewer of viewers) this.#refusals.refused(viewer, id, mayHold ? holding : told, told);
    }
    return answer;
  }

  /**
   * The lock that is held, by whatever door; null when none is.
   * @param alias where the client itself looks: right after it was refused there, it is shown the lock that it was refused for
   *   even if that is free again; null where the house looks for its sake
   */
  async look(
    caller: Caller,
    address: Address,
    request: DoorRequest,
    alias: LockAlias | null,
  ): Promise<{ readonly type: 'looked'; readonly lock: SeenLock | null } | Shut> {
    const answer = await this.#house.locks.show(caller, address);
    if (answer.type !== 'shown') return answer;
    const owed = alias === null ? null : this.#refusals.looks(viewerOf(caller, request, address, alias));
    const held = shownLock(answer.lock.holders);
    const lock = held === null || owed?.holder.lockId === held.holder.lockId ? (owed ?? held) : held;
    // What was shown is what a deletion means: of a lock that has gone it does nothing to the one that came after it.
    if (lock !== null) await this.#memory.saw(lookerOf(caller, request), address, lock.holder.lockId);
    return { type: 'looked', lock };
  }

  /**
   * Ends the lock that the client has just looked at or, if it did not look, the one that is held. What a run saw that has gone
   * since was ended before, by this very run; whoever deletes by hand is told that another lock is there now.
   */
  async drop(
    caller: Caller,
    address: Address,
    { alias, request }: { alias: LockAlias; request: DoorRequest },
  ): Promise<UnlockAnswer> {
    const seen = await this.#meantBy(caller, address, request);
    if (seen !== null) {
      const other =
        isRun(request) || this.#isResent(request) ? null : await this.#otherThan(caller, address, seen);
      return other ?? this.release(caller, address, seen, { alias, request });
    }
    // Whoever may not end a lock is told so, whether or not there is one.
    const refusal = await this.#house.locks.refuse(caller, 'unlock', address);
    if (refusal !== null) return refusal;
    const answer = await this.#house.locks.show(caller, address);
    if (answer.type !== 'shown') return answer;
    const [holder] = answer.lock.holders;
    // A run deletes what it has looked at. One that came to be since then cannot be what it means.
    if (holder === undefined || (isRun(request) && holder.since > (await this.#memory.knowsSince()))) {
      return { type: 'not-locked' };
    }
    return this.release(caller, address, await this.#means(caller, request, holder.lockId), {
      alias,
      request,
    });
  }

  /** Which lock a deletion means; null where its client did not look. */
  async #meantBy(caller: Caller, address: Address, request: DoorRequest): Promise<string | null> {
    const looker = lookerOf(caller, request);
    const callId = this.#callIdOf(request);
    const before = callId === null ? null : await this.#memory.meantBefore(looker, callId);
    if (before !== null) return before;
    const seen = await this.#memory.lastSeen(looker, address);
    return seen === null ? null : this.#means(caller, request, seen);
  }

  /** Remembers which lock a deletion means, before it is ended. */
  async #means(caller: Caller, request: DoorRequest, lockId: string): Promise<string> {
    const callId = this.#callIdOf(request);
    return callId === null ? lockId : this.#memory.meant(lookerOf(caller, request), callId, lockId);
  }

  /** That other locks are held than the one that was seen; null where it is held still, or none is. */
  async #otherThan(caller: Caller, address: Address, seen: string): Promise<UnlockAnswer | null> {
    const answer = await this.#house.locks.show(caller, address);
    if (answer.type !== 'shown') return null;
    const { holders, usualHold } = answer.lock;
    if (holders.length === 0 || holders.some(({ lockId }) => lockId === seen)) return null;
    return { type: 'not-holder', holders, usualHold };
  }

  /** Ends the lock that was granted with this fence, by which its client knows it. */
  async releaseFence(
    caller: Caller,
    address: Address,
    fence: number,
    ask: { alias: LockAlias; request: DoorRequest },
  ): Promise<UnlockAnswer> {
    const refusal = await this.#house.locks.refuse(caller, 'unlock', address);
    if (refusal !== null) return refusal;
    const answer = await this.#house.locks.show(caller, address);
    if (answer.type !== 'shown') return answer;
    const { holders, usualHold } = answer.lock;
    const held = holders.find((holder) => holder.fence === fence);
    const lockId = held?.lockId ?? this.#fences.lockIdOf(address, fence);
    if (lockId !== null) return this.release(caller, address, lockId, ask);
    return holders.length === 0 ? { type: 'not-locked' } : { type: 'not-holder', holders, usualHold };
  }

  /** Ends the lock of this ID. */
  async release(
    caller: Caller,
    address: Address,
    lockId: string,
    { alias, request }: { alias: LockAlias; request: DoorRequest },
  ): Promise<UnlockAnswer> {
    const answer = await this.#house.locks.unlock(caller, address, {
      lockId,
      alias,
      resent: this.#isResent(request),
    });
    if (answer.type !== 'released') return answer;
    const viewer = viewerOf(caller, request, address, alias);
    // A run that ends a lock is another than those that wait; whoever does it by hand goes on by hand.
    if (isRun(request)) this.#refusals.unlooks(viewer);
    else this.#refusals.forget(viewer);
    return answer;
  }
}

function clientOf(caller: Caller, request: DoorRequest): string {
  return `${caller.identity.subject}\n${request.peer}`;
}

/** A client as one that looks: what a run of terraform saw is not what its user, who deletes by hand, has in mind. */
function lookerOf(caller: Caller, request: DoorRequest): string {
  return `${clientOf(caller, request)}\n${isRun(request) ? 'run' : 'hand'}`;
}

/** A client, and the alias of the lock that it looks at. */
function viewerOf(caller: Caller, request: DoorRequest, address: Address, alias: LockAlias): Viewer {
  const name = `${clientOf(caller, request)}\n${formatAddress(address)}\n${alias}`;
  return { name, port: request.peerPort };
}
