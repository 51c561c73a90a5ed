import { formatAddress, type Address } from '../../core/address.ts';
import type { Holder } from '../../core/world.ts';

/** Grants that are remembered, of all clients together. */
const GRANTS_MAX = 10_000;

/** Which lock was granted with which fence here, so that a release that comes again is known for what it is. */
export class FenceMemory {
  /** The oldest first. */
  readonly #lockIds = new Map<string, string>();

  granted(address: Address, { fence, lockId }: Pick<Holder, 'fence' | 'lockId'>): void {
    this.#lockIds.set(nameOf(address, fence), lockId);
    const [oldest] = this.#lockIds.keys();
    if (this.#lockIds.size > GRANTS_MAX && oldest !== undefined) this.#lockIds.delete(oldest);
  }

  /** null for a grant that another node gave, or long ago. */
  lockIdOf(address: Address, fence: number): string | null {
    return this.#lockIds.get(nameOf(address, fence)) ?? null;
  }
}

function nameOf(address: Address, fence: number): string {
  return `${formatAddress(address)}\n${fence}`;
}
