import type { Address } from '../core/address.ts';

/**
 * What happens to an address, in the words of the event stream.
 * A waiter's place that runs out while its client is away is not signalled: nobody does anything then.
 */
export const SIGNAL_EVENTS = [
  'lock-granted',
  'lock-released',
  'lock-broken',
  /** A request for the lock is held open. */
  'waiter-parked',
  /** A client was refused the lock and keeps its place in line until it comes back. */
  'waiter-asleep',
  'waiter-left',
  'version-stored',
  'versions-pruned',
  'retention-changed',
  'state-deleted',
  'state-undeleted',
  'state-purged',
] as const;

export type SignalEvent = (typeof SIGNAL_EVENTS)[number];

/** What happens in the line of an address alone: it is told as it happens, and stored nowhere. */
const LIVE_EVENTS: ReadonlySet<SignalEvent> = new Set(['waiter-parked', 'waiter-asleep', 'waiter-left']);

export function isLiveEvent(event: SignalEvent): boolean {
  return LIVE_EVENTS.has(event);
}

/** A lock that was handed to a parked request. */
export interface SignalledHandover {
  /** The held-open request that the lock was handed to. */
  readonly seat: string;
  readonly lockId: string;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly fence: number;
}

/**
 * Something that happened to an address, for those who watch: the line on other nodes, and the event stream. Plain JSON and
 * small, so that it can be sent to other nodes: what is more than a line of facts is read where it is kept.
 */
export interface Signal {
  readonly address: Address;
  /** null where nothing but the handovers is to be told. */
  readonly event: SignalEvent | null;
  /** Who did it, and through which door. */
  readonly subject: string;
  readonly door: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly handovers: readonly SignalledHandover[];
}

/** Carries signals between the nodes of one house. Delivery is prompt but not promised: who waits also looks now and then. */
export interface Signals extends AsyncDisposable {
  /** Whether other nodes' signals arrive now. Where they do not, who waits must look more often. */
  readonly prompt: boolean;
  publish(signal: Signal): void;
  /** @returns a function that ends the subscription */
  subscribe(listener: (signal: Signal) => void): () => void;
}
