import type { Milliseconds } from '../../../core/instant.ts';
import type { Holder } from '../../../core/world.ts';
import { LEASE_SECONDS_MAX } from '../layout.ts';

/** Leases whose duration is remembered. */
const LEASES_MAX = 10_000;

/** For how long each lease was asked for, since a renewal does not say. */
export class LeaseTerms {
  /** By lease ID; the oldest first. */
  readonly #durations = new Map<string, Milliseconds>();

  granted(leaseId: string, duration: Milliseconds | null): void {
    if (duration === null) return;
    this.#durations.delete(leaseId);
    this.#durations.set(leaseId, duration);
    const [oldest] = this.#durations.keys();
    if (this.#durations.size > LEASES_MAX && oldest !== undefined) this.#durations.delete(oldest);
  }

  /** How long a renewal lasts: as long as the lease was asked for, or the longest that there is if that was at another node. */
  of({ lockId, until }: Holder): Milliseconds | null {
    if (until === null) return null;
    return this.#durations.get(lockId) ?? LEASE_SECONDS_MAX * 1_000;
  }
}
