import type { Address } from '../core/address.ts';
import type { Handover } from '../core/outcome.ts';

/** Something that happened to an address, for those who watch: the line on other nodes, and the event stream. */
export interface Signal {
  readonly address: Address;
  readonly action: string;
  readonly handovers: readonly Handover[];
}

/** Carries signals between the nodes of one house. Delivery is prompt but not promised: who waits also looks now and then. */
export interface Signals extends AsyncDisposable {
  publish(signal: Signal): void;
  /** @returns a function that ends the subscription */
  subscribe(listener: (signal: Signal) => void): () => void;
}
