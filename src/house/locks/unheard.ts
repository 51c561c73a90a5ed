import type { Milliseconds } from '../../core/instant.ts';
import type { Holder } from '../../core/world.ts';
import { nodeOf } from './parked-requests.ts';

/** By then an answer was acknowledged, or its grant was taken back (`server/deliveries.ts`). */
export const HEARD_WITHIN: Milliseconds = 20_000;

/** Called if the client of a grant is found to be gone before it can have heard of it. */
export interface Undelivered {
  (): void;
  /** Told when a look finds that the client's system has not acknowledged the answer, and when it is settled whether it does. */
  readonly unheard?: (isUnheard: boolean) => void;
}

/** Grants that this node has answered, and whose answers no client has acknowledged although they were looked for. */
export class UnheardGrants {
  readonly #node: string;
  /** By the requests that were answered: as many as there are connections at most. */
  readonly #seats = new Set<string>();

  constructor(node: string) {
    this.#node = node;
  }

  /** What takes a grant back, and tells while it is unheard. @param seat the request that was answered by it */
  watched(seat: string, takeBack: () => void): Undelivered {
    const unheard = (isUnheard: boolean): void => {
      if (isUnheard) this.#seats.add(seat);
      else this.#seats.delete(seat);
    };
    return Object.assign(takeBack, { unheard });
  }

  /**
   * Whether a holder is unheard: none of the answers by which it may have heard was acknowledged.
   * @returns null where another node, or an earlier start of this one, gave an answer: that one alone can know
   */
  has({ answers }: Holder): boolean | null {
    if (answers.length === 0) return false;
    if (answers.every(({ seat }) => this.#seats.has(seat))) return true;
    return answers.every(({ seat }) => nodeOf(seat) === this.#node) ? false : null;
  }
}
