import type { Address } from '../../core/address.ts';
import type { Actor } from '../../core/command.ts';
import type { WaitingRequest } from '../../ports/engine.ts';
import type { CommandExecutor } from '../executor.ts';

/** Who acts where the house itself keeps order. */
const NODE: Actor = { subject: 'house:node', door: 'house' };

/** What the house does of its own about locks and their lines. */
export interface OwnOrder {
  readonly clear: (seats: readonly WaitingRequest[]) => Promise<void>;
  readonly expire: (address: Address) => Promise<void>;
}

export function ownOrder(executor: CommandExecutor): OwnOrder {
  return {
    // Requests that nobody answers any more: parked waiters sleep and keep their place, and a grant that was not taken up, so
    // that nobody was told of it, is taken back.
    async clear(seats) {
      for (const { address, waiter, seat, granted } of seats) {
        const about = { address, actor: NODE, waiter, seat };
        await executor.execute(
          granted
            ? { type: 'leave', unheard: true, ...about }
            : { type: 'park-over', closing: true, ...about },
        );
      }
    },
    async expire(address) {
      await executor.execute({ type: 'expire', address, actor: NODE });
    },
  };
}
