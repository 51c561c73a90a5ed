import { Chance } from '../../../bench/line/chance.ts';
import type { Entropy } from '../../../src/ports/entropy.ts';

/** Repeatable chance, in the forms in which a simulation asks for it. */
export class Dice extends Chance {
  /** Whether something happens that does so in this part of all cases. */
  hits(part: number): boolean {
    return this.next() < part;
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** A whole number from 0 up to, and without, a limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }

  /** Another source of chance, so that what one part asks for changes nothing for the others. */
  fork(): Dice {
    return new Dice(this.below(2 ** 32));
  }

  /** A number between two, each of its orders of magnitude as likely as another. */
  logarithmic(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }
}

/** Randomness that is none, for the house of a simulation. */
export function entropyOf(dice: Dice): Entropy {
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => dice.below(256));
  return {
    bytes,
    uuid: () => {
      const hex = Buffer.from(bytes(16)).toString('hex');
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
        '-',
      );
    },
  };
}
