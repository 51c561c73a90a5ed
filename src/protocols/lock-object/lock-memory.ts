import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';

/** Clients whose last look at a lock is remembered. */
const LOOKS_MAX = 10_000;
/** A client deletes right after it has looked; whoever looked longer ago means what is there now. */
const LOOK_LIFE: Milliseconds = 60_000;

/**
 * Which lock a client was last shown. AWS clients release a lock in two steps: they read it, compare its ID, and then delete
 * whatever is there. What they mean is the lock that they read, so that is the one that is ended, even if the request comes
 * twice, or after the lock has gone to somebody else.
 */
export class LockMemory {
  readonly #now: () => Instant;
  readonly #looks = new Map<string, { readonly lockId: string; readonly at: Instant }>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  saw(client: string, address: Address, lockId: string): void {
    const name = nameOf(client, address);
    // The newest look stands last, so that the oldest goes first.
    this.#looks.delete(name);
    this.#looks.set(name, { lockId, at: this.#now() });
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > LOOKS_MAX && oldest !== undefined) this.#looks.delete(oldest);
  }

  /** The ID of the lock that this client saw here just now; null if it did not look, or looked at another node. */
  lastSeen(client: string, address: Address): string | null {
    const look = this.#looks.get(nameOf(client, address));
    return look !== undefined && this.#now() - look.at <= LOOK_LIFE ? look.lockId : null;
  }
}

function nameOf(client: string, address: Address): string {
  return `${client}\n${formatAddress(address)}`;
}
