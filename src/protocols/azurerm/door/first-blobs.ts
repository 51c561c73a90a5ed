import { formatAddress, type Address } from '../../../core/address.ts';
import type { Instant, Milliseconds } from '../../../core/instant.ts';
import type { Caller } from '../../../house/caller.ts';
import type { DoorRequest } from '../../door.ts';

/** Addresses at which somebody has just found no state. */
const FOUND_MAX = 1_000;
/** Terraform asks for the lease right after it has made the blob. */
const FOUND_LIFE: Milliseconds = 30_000;

/**
 * Who has just made a blob without bytes, because there was no state. Terraform then takes the lease, looks again, and makes the first
 * state; if another run has made it meanwhile, it forgets to release the lease (`StateMgr` in backend_state.go). So it must not get it.
 */
export class FirstBlobs {
  readonly #now: () => Instant;
  /** How many runs of a client, and when the last of them; the oldest first. */
  readonly #found = new Map<string, { readonly runs: number; readonly at: Instant }>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  made(caller: Caller, request: DoorRequest, address: Address): void {
    const name = nameOf(caller, request, address);
    const runs = this.#runs(name) + 1;
    this.#found.delete(name);
    this.#found.set(name, { runs, at: this.#now() });
    const [oldest] = this.#found.keys();
    if (this.#found.size > FOUND_MAX && oldest !== undefined) this.#found.delete(oldest);
  }

  /** Whether a run that has made such a blob is the one that takes the lease now; of each run once. */
  leases(caller: Caller, request: DoorRequest, address: Address): boolean {
    const name = nameOf(caller, request, address);
    const runs = this.#runs(name);
    if (runs <= 1) this.#found.delete(name);
    else this.#found.set(name, { runs: runs - 1, at: this.#now() });
    return runs > 0;
  }

  #runs(name: string): number {
    const found = this.#found.get(name);
    return found !== undefined && this.#now() - found.at <= FOUND_LIFE ? found.runs : 0;
  }
}

function nameOf({ identity }: Caller, { peer }: DoorRequest, address: Address): string {
  return `${identity.subject}\n${peer}\n${formatAddress(address)}`;
}
