import { formatAddress, type Address } from '../../core/address.ts';
import type { Holder, QueueEntry } from '../../core/world.ts';
import type { Sealer } from '../../ports/sealer.ts';

/** Lock infos are sealed wherever they are kept, and opened only to be shown: this is the one place that does either. */
export class LockInfos {
  readonly #sealer: Sealer;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** A lock info as it is kept at an address. */
  seal(address: Address, info: Uint8Array): Uint8Array {
    return this.#sealer.seal(info, contextOf(address));
  }

  /** A lock info as its client sent it. */
  open(address: Address, sealed: Uint8Array): Uint8Array {
    return this.#sealer.open(sealed, contextOf(address));
  }

  /** The same holders, with their lock infos as the clients sent them. */
  ofHolders(address: Address, holders: readonly Holder[]): readonly Holder[] {
    return holders.map((holder) => ({ ...holder, info: this.#opened(address, holder.info) }));
  }

  /** The same waiters, with their lock infos as the clients sent them. */
  ofLine(address: Address, line: readonly QueueEntry[]): readonly QueueEntry[] {
    return line.map((place) => ({ ...place, info: this.#opened(address, place.info) }));
  }

  #opened(address: Address, sealed: Uint8Array | null): Uint8Array | null {
    return sealed === null ? null : this.open(address, sealed);
  }
}

/** What a lock info's sealing is bound to. */
function contextOf(address: Address): string {
  return `lock-info ${formatAddress(address)}`;
}
