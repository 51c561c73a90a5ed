import type { Address } from '../../core/address.ts';
import { parseLockInfo } from '../../core/lock-info.ts';
import type { Face, Holder } from '../../core/world.ts';
import type { Caller, Forbidden } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { LockAnswer, UnlockAnswer } from '../../house/locks.ts';
import type { DoorRequest } from '../door.ts';
import type { LockMemory } from './lock-memory.ts';
import { shownLockInfo } from './shown-lock.ts';

/** A lock as AWS clients see it. */
export interface SeenLock {
  readonly holder: Holder;
  readonly info: Uint8Array;
}

/** What AWS's SDKs send with each attempt: `attempt=2; max=5`. */
const ATTEMPT = /(?:^|[;\s])attempt=(\d{1,4})(?:$|[;\s])/;

/** The lock of an address as the AWS doors handle it: taken with its info, read, and deleted by whoever has just read it. */
export class AwsLocks {
  readonly #house: House;
  readonly #memory: LockMemory;

  constructor(house: House, memory: LockMemory) {
    this.#house = house;
    this.#memory = memory;
  }

  /** Asks for the lock with the lock info that the client would store. */
  async take(
    caller: Caller,
    address: Address,
    { info, face, request }: { info: Uint8Array; face: Face; request: DoorRequest },
  ): Promise<LockAnswer | { readonly type: 'no-lock-info'; readonly problem: string }> {
    const parsed = parseLockInfo(info);
    if ('problem' in parsed) return { type: 'no-lock-info', problem: parsed.problem };
    return this.#house.locks.lock(caller, address, {
      lockId: parsed.info.id,
      operation: parsed.info.operation,
      info,
      tellsHoldersApart: false,
      face,
      wait: null,
      gone: request.gone,
    });
  }

  /** The lock that is held, by whatever door; null when none is. */
  async look(
    caller: Caller,
    address: Address,
    request: DoorRequest,
  ): Promise<{ readonly type: 'looked'; readonly lock: SeenLock | null } | Forbidden | { type: 'expired' }> {
    const view = await this.#house.locks.show(caller, address);
    if ('type' in view) return view;
    const [holder] = view.holders;
    if (holder === undefined) return { type: 'looked', lock: null };
    this.#memory.saw(clientOf(caller, request), address, holder.lockId);
    return { type: 'looked', lock: { holder, info: shownLockInfo(holder) } };
  }

  /** Ends the lock that the client has just looked at or, if it did not look, the one that is held. */
  async drop(
    caller: Caller,
    address: Address,
    { face, request }: { face: Face; request: DoorRequest },
  ): Promise<UnlockAnswer> {
    const seen = this.#memory.lastSeen(clientOf(caller, request), address);
    const lockId = seen ?? (await this.#heldNow(caller, address));
    if (lockId === null) return { type: 'not-locked' };
    return this.#house.locks.unlock(caller, address, lockId, face, isResent(request));
  }

  async #heldNow(caller: Caller, address: Address): Promise<string | null> {
    const view = await this.#house.locks.show(caller, address);
    return 'type' in view ? null : (view.holders[0]?.lockId ?? null);
  }
}

/** Whether the client says that it has sent this request before. */
function isResent(request: DoorRequest): boolean {
  return Number(ATTEMPT.exec(request.header('amz-sdk-request') ?? '')?.[1] ?? 1) > 1;
}

function clientOf(caller: Caller, request: DoorRequest): string {
  return `${caller.identity.subject}\n${request.peer}`;
}
