import { formatAddress, type Address } from '../../../core/address.ts';
import type { Instant, Milliseconds } from '../../../core/instant.ts';
import type { Caller } from '../../../house/caller.ts';
import type { LockAnswer } from '../../../house/locks/locks.ts';
import type { DoorRequest } from '../../door.ts';
import { pageOf } from '../../page-link.ts';
import { isRun } from '../../lock-object/run.ts';
import { shownLock, toldLock, type SeenLock } from '../../lock-object/shown-lock.ts';

/** Refusals that are remembered, of all clients together. */
const REFUSALS_MAX = 1_000;
/** Terraform looks right after it was refused. */
const REFUSAL_LIFE: Milliseconds = 30_000;
/** Terraform's lock infos have a few hundred bytes; longer ones are not remembered, so that the memory stays small. */
const REMEMBERED_INFO_BYTES_MAX: number = 8 * 1024;

/**
 * For which lock a run of terraform was refused. It is told no more than that, then looks who holds the lock, and waits only for what
 * it sees: so it is shown that lock for a moment, even if it is free again, with words on its holder and on the place in line.
 */
export class ShownRefusals {
  readonly #now: () => Instant;
  /** The oldest first. */
  readonly #refusals = new Map<string, { readonly lock: SeenLock; readonly at: Instant }>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  refused(
    caller: Caller,
    request: DoorRequest,
    address: Address,
    answer: Extract<LockAnswer, { type: 'held' }>,
  ): void {
    const lock = shownLock(answer.holders);
    if (lock === null) return;
    const told = toldLock(lock, answer, pageOf(request, address));
    if (told.info.length > REMEMBERED_INFO_BYTES_MAX) return;
    const name = nameOf(caller, request, address);
    this.#refusals.delete(name);
    this.#refusals.set(name, { lock: told, at: this.#now() });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > REFUSALS_MAX && oldest !== undefined) this.#refusals.delete(oldest);
  }

  /** The lock that this client was refused for a moment ago; null for none, and for whoever names the lease that it has. */
  looks(caller: Caller, request: DoorRequest, address: Address): SeenLock | null {
    if (!isRun(request) || request.header('x-ms-lease-id') !== undefined) return null;
    const refusal = this.#refusals.get(nameOf(caller, request, address));
    return refusal !== undefined && this.#now() - refusal.at <= REFUSAL_LIFE ? refusal.lock : null;
  }
}

function nameOf({ identity }: Caller, { peer }: DoorRequest, address: Address): string {
  return `${identity.subject}\n${peer}\n${formatAddress(address)}`;
}
