import type { Instant, Milliseconds } from '../../../core/instant.ts';

/** How old a message may be when it arrives, and how far ahead of ours the sender's idea of the database's clock may be. */
const AGE_MS_MAX: Milliseconds = 30_000;
const AHEAD_MS_MAX: Milliseconds = 5_000;
/** Senders that are remembered: more nodes than a house has, with all that restarted lately. */
const SENDERS_MAX = 1_000;

/** What a message says of itself, so that a copy of it can be told from it. */
export interface Stamp {
  /** When it was sent, by the database's clock. */
  readonly at: Instant;
  /** Counts up with every message of one sender. */
  readonly number: number;
}

interface Last {
  readonly number: number;
  readonly at: Instant;
}

/**
 * Tells a new message from a copy of an old one. A sender's messages arrive in order, so each has a higher number than the one
 * before. A sender is forgotten once all that it has sent would be too old.
 */
export class Replays {
  readonly #last = new Map<string, Last>();
  #since: Instant = Number.POSITIVE_INFINITY;

  /** What was sent before is not for us: we listen since then. */
  listeningSince(now: Instant): void {
    this.#since = Math.floor(now);
  }

  /** Whether a message is new; it is not from then on. The sender must be authenticated. */
  isNew(sender: string, { at, number }: Stamp, now: Instant): boolean {
    if (at < this.#since || at < now - AGE_MS_MAX || at > now + AHEAD_MS_MAX) return false;
    const last = this.#last.get(sender);
    if (last !== undefined && number <= last.number) return false;
    if (last === undefined) this.#forget(now);
    if (last === undefined && this.#last.size >= SENDERS_MAX) return false;
    this.#last.set(sender, { number, at: Math.max(at, last?.at ?? at) });
    return true;
  }

  #forget(now: Instant): void {
    for (const [sender, { at }] of this.#last) {
      if (at < now - 2 * AGE_MS_MAX) this.#last.delete(sender);
    }
  }
}
