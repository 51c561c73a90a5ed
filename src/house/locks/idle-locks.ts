import { formatAddress } from '../../core/address.ts';
import type { AddressCommand } from '../../core/command.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Result } from '../../core/outcome.ts';
import type { Clock } from '../../ports/clock.ts';

/** Waiters, and free locks, that are remembered at a time; the oldest are forgotten first. */
const REMEMBERED_MAX = 10_000;

/**
 * How long locks were free although somebody who had asked before still wanted them, as this node has seen it: what a waiter costs
 * its team by sleeping. A hand-over leaves no such time.
 */
export class IdleLocks {
  readonly #clock: Pick<Clock, 'now'>;
  /** When somebody was first refused, by address and waiter. */
  readonly #refused = new Map<string, Instant>();
  /** Since when a lock is free, by address. */
  readonly #free = new Map<string, Instant>();
  #sum: Milliseconds = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** In all, since the start. */
  get total(): Milliseconds {
    return this.#sum;
  }

  /** Takes note of a command and what came of it. */
  saw(command: AddressCommand, { outcome, handovers }: Result): void {
    const address = formatAddress(command.address);
    for (const { waiter } of handovers) this.#refused.delete(nameOf(address, waiter));
    if (outcome.type === 'released') {
      if (handovers.length === 0) remember(this.#free, address, this.#clock.now());
      return;
    }
    if (command.type === 'leave') this.#refused.delete(nameOf(address, command.waiter));
    if (command.type !== 'lock') return;
    const waiter = nameOf(address, command.waiter);
    if (outcome.type === 'held') {
      if (!this.#refused.has(waiter)) remember(this.#refused, waiter, this.#clock.now());
      return;
    }
    if (outcome.type !== 'granted' || outcome.again) return;
    const [refused, free] = [this.#refused.get(waiter), this.#free.get(address)];
    this.#refused.delete(waiter);
    this.#free.delete(address);
    if (refused !== undefined && free !== undefined) this.#sum += this.#clock.now() - Math.max(refused, free);
  }
}

function nameOf(address: string, waiter: string): string {
  return `${address}\n${waiter}`;
}

function remember(times: Map<string, Instant>, name: string, at: Instant): void {
  const [oldest] = times.size < REMEMBERED_MAX ? [] : times.keys();
  if (oldest !== undefined) times.delete(oldest);
  times.delete(name);
  times.set(name, at);
}
