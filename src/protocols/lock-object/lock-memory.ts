import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';

/** Clients whose last look at a lock is remembered, and calls. */
const LOOKS_MAX = 10_000;
/** A client deletes right after it has looked; whoever looked longer ago means what is there now. */
const LOOK_LIFE: Milliseconds = 60_000;

type Memory = Map<string, { readonly lockId: string; readonly at: Instant }>;

/**
 * Which lock a client was last shown. AWS clients release a lock in two steps: they read it, compare its ID, and then delete
 * whatever is there. What they mean is the lock that they read, so that is the one that is ended, even if the request comes
 * twice, or after the lock has gone to somebody else.
 */
export class LockMemory {
  readonly #now: () => Instant;
  readonly #looks: Memory = new Map();

  /** Which lock a call has meant, by its name. */
  readonly #meant: Memory = new Map();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  saw(client: string, address: Address, lockId: string): void {
    this.#remember(this.#looks, nameOf(client, address), lockId);
  }

  /** The ID of the lock that this client saw here just now; null if it did not look, or looked at another node. */
  lastSeen(client: string, address: Address): string | null {
    return this.#recall(this.#looks, nameOf(client, address));
  }

  /**
   * A call to end a lock has meant this one. Whatever its client is shown until it comes again, it means no other: between a
   * deletion and its repetition another run of the client may have got the lock, and be seen.
   */
  meant(client: string, callId: string, lockId: string): void {
    this.#remember(this.#meant, `${client}\n${callId}`, lockId);
  }

  /** The ID of the lock that this call has meant before; null where it is new here. */
  meantBefore(client: string, callId: string): string | null {
    return this.#recall(this.#meant, `${client}\n${callId}`);
  }

  #remember(memory: Memory, name: string, lockId: string): void {
    // The newest stands last, so that the oldest goes first.
    memory.delete(name);
    memory.set(name, { lockId, at: this.#now() });
    const [oldest] = memory.keys();
    if (memory.size > LOOKS_MAX && oldest !== undefined) memory.delete(oldest);
  }

  #recall(memory: Memory, name: string): string | null {
    const found = memory.get(name);
    return found !== undefined && this.#now() - found.at <= LOOK_LIFE ? found.lockId : null;
  }
}

function nameOf(client: string, address: Address): string {
  return `${client}\n${formatAddress(address)}`;
}
