import { formatAddress, type Address } from '../../core/address.ts';
import { parseLockInfo } from '../../core/lock-info.ts';
import type { Face } from '../../core/world.ts';
import type { Caller, Forbidden } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { LockAnswer, UnlockAnswer } from '../../house/locks.ts';
import type { DoorRequest } from '../door.ts';
import type { LockMemory } from './lock-memory.ts';
import type { RefusalMemory, Viewer } from './refusal-memory.ts';
import { shownLock, type SeenLock } from './shown-lock.ts';

/** What AWS's SDKs send with each attempt: `attempt=2; max=5`. */
const ATTEMPT = /(?:^|[;\s])attempt=(\d{1,4})(?:$|[;\s])/;

/** The lock of an address as the AWS doors handle it: taken with its info, read, and deleted by whoever has just read it. */
export class AwsLocks {
  readonly #house: House;
  readonly #memory: LockMemory;
  readonly #refusals: RefusalMemory;

  constructor(house: House, memory: LockMemory, refusals: RefusalMemory) {
    this.#house = house;
    this.#memory = memory;
    this.#refusals = refusals;
  }

  /** Asks for the lock with the lock info that the client would store. */
  async take(
    caller: Caller,
    address: Address,
    { info, face, request }: { info: Uint8Array; face: Face; request: DoorRequest },
  ): Promise<LockAnswer | { readonly type: 'no-lock-info'; readonly problem: string }> {
    const parsed = parseLockInfo(info);
    if ('problem' in parsed) return { type: 'no-lock-info', problem: parsed.problem };
    const { id } = parsed.info;
    const answer = await this.#house.locks.lock(caller, address, {
      lockId: id,
      operation: parsed.info.operation,
      info,
      tellsHoldersApart: false,
      face,
      wait: null,
      gone: request.gone,
    });
    const viewer = viewerOf(caller, request, address, face);
    if (answer.type === 'granted') this.#refusals.granted(viewer, id);
    const holding = answer.type === 'held' ? shownLock(answer.holders) : null;
    if (holding !== null) this.#refusals.refused(viewer, id, holding);
    return answer;
  }

  /**
   * The lock that is held, by whatever door; null when none is.
   * @param face where the client itself looks: right after it was refused there, it is shown the lock that it was refused for
   *   even if that is free again; null where the house looks for its sake
   */
  async look(
    caller: Caller,
    address: Address,
    request: DoorRequest,
    face: Face | null,
  ): Promise<{ readonly type: 'looked'; readonly lock: SeenLock | null } | Forbidden | { type: 'expired' }> {
    const view = await this.#house.locks.show(caller, address);
    if ('type' in view) return view;
    const owed = face === null ? null : this.#refusals.looks(viewerOf(caller, request, address, face));
    const lock = shownLock(view.holders) ?? owed;
    // What was shown is what a deletion means: of a lock that has gone it does nothing to the one that came after it.
    if (lock !== null) this.#memory.saw(clientOf(caller, request), address, lock.holder.lockId);
    return { type: 'looked', lock };
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
    return this.release(caller, address, lockId, { face, request });
  }

  /** Ends the lock of this ID. */
  async release(
    caller: Caller,
    address: Address,
    lockId: string,
    { face, request }: { face: Face; request: DoorRequest },
  ): Promise<UnlockAnswer> {
    const answer = await this.#house.locks.unlock(caller, address, lockId, face, isResent(request));
    if (answer.type === 'released' && !answer.broken) {
      this.#refusals.unlooks(viewerOf(caller, request, address, face));
    }
    return answer;
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

/** A client, and the face of the lock that it looks at. */
function viewerOf(caller: Caller, request: DoorRequest, address: Address, face: Face): Viewer {
  const name = `${clientOf(caller, request)}\n${formatAddress(address)}\n${face}`;
  return { name, port: request.peerPort };
}
