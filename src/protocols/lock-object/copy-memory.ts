import type { Instant, Milliseconds } from '../../core/instant.ts';

/** Copies that are remembered, of all clients together. */
export const COPIES_MAX = 1_000;
/** A tool that moves a state asks for the digest at its new place right after. */
export const COPY_LIFE: Milliseconds = 30_000;

/**
 * Which states were copied to a new place just now. AWS keeps the digest of a state apart, so that a copy has none, and a tool that
 * moves states (`terragrunt backend migrate`) stops if it finds one. Here it is computed and there at once: that is not told to
 * whoever made the copy, for one look.
 */
export class CopyMemory {
  readonly #now: () => Instant;
  /** When, by client and place; the oldest first. */
  readonly #copies = new Map<string, Instant>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  copied(client: string, place: string): void {
    const name = nameOf(client, place);
    this.#copies.delete(name);
    this.#copies.set(name, this.#now());
    const [oldest] = this.#copies.keys();
    if (this.#copies.size > COPIES_MAX && oldest !== undefined) this.#copies.delete(oldest);
  }

  /** Whether this is the first look of a client at the digest of what it has just copied. */
  looks(client: string, place: string): boolean {
    const name = nameOf(client, place);
    const at = this.#copies.get(name);
    this.#copies.delete(name);
    return at !== undefined && this.#now() - at <= COPY_LIFE;
  }
}

function nameOf(client: string, place: string): string {
  return JSON.stringify([client, place]);
}
