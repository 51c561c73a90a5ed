import { z } from 'zod';
import type { Instant, Milliseconds } from '../core/instant.ts';
import { SealError, type Sealer } from '../ports/sealer.ts';

/** What a ticket is good for. */
export type TicketFor =
  | { readonly kind: 'configuration'; readonly id: string }
  | { readonly kind: 'plan' | 'apply'; readonly id: string };

const CONTENT = z.object({
  kind: z.enum(['configuration', 'plan', 'apply']),
  id: z.string(),
  until: z.number(),
});
const CONTEXT = 'run ticket';
const LENGTH_MAX = 1_000;
/** A ticket is good for one of these at least, and for two at most. */
const LIFE: Milliseconds = 24 * 3_600_000;
const KEPT_MAX = 2_000;

/** Stand in a path for a credential, where clients send none: for the upload of a configuration, and for a log. */
export class RunTickets {
  readonly #sealer: Sealer;
  readonly #made = new Map<string, string>();

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** The ticket for something, as it stands in a path. The same for a while, since clients ask for it again and again. */
  make({ kind, id }: TicketFor, now: Instant): string {
    const until = (Math.floor(now / LIFE) + 2) * LIFE;
    const name = `${kind} ${id} ${until}`;
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const plain = Buffer.from(JSON.stringify({ kind, id, until }));
    const ticket = Buffer.from(this.#sealer.seal(plain, CONTEXT)).toString('base64url');
    this.#made.set(name, ticket);
    const [oldest] = this.#made.keys();
    if (this.#made.size > KEPT_MAX && oldest !== undefined) this.#made.delete(oldest);
    return ticket;
  }

  /** What a ticket is for; null for one that this server did not make, or that is good no longer. */
  read(ticket: string, now: Instant): TicketFor | null {
    if (ticket.length > LENGTH_MAX) return null;
    try {
      const plain = this.#sealer.open(Buffer.from(ticket, 'base64url'), CONTEXT);
      const { kind, id, until } = CONTENT.parse(JSON.parse(Buffer.from(plain).toString()));
      return now < until ? { kind, id } : null;
    } catch (fault) {
      if (fault instanceof SealError) return null;
      throw fault;
    }
  }
}
