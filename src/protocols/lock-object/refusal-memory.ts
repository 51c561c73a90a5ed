import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { SeenLock } from './shown-lock.ts';

/** Refusals that are remembered, of all clients together. */
export const REFUSALS_MAX = 1_000;
/** A client looks right after it was refused: one round trip later, or a few where requests are sent again. */
export const REFUSAL_LIFE: Milliseconds = 30_000;
/** Terraform's lock infos have a few hundred bytes; longer ones are not remembered, so that the memory stays small. */
export const REMEMBERED_INFO_BYTES_MAX: number = 8 * 1024;

/** Who looks, where, and over which connection. */
export interface Viewer {
  /** The client, and what it looks at. */
  readonly name: string;
  /** The client's port: runs that are one client still have connections of their own, unless a proxy mixes them. */
  readonly port: number;
}

interface Refusal {
  readonly viewer: Viewer;
  readonly lock: SeenLock;
  /** The same for who is surely the one that was refused. */
  readonly told: SeenLock;
  readonly at: Instant;
  /** Its client has looked, as far as one can tell: perhaps another run of it did, that holds the lock and ends it. */
  looked: boolean;
}

/**
 * Whom a client was refused for. AWS clients are refused without being told who holds the lock, and read it then. Terraform
 * waits only if it finds a holder (`statemgr.LockWithContext`), so one that has gone since is shown to it, for this one look.
 *
 * Several runs may be one client: they share a credential and a host. So each lock ID that asks is owed a look of its own.
 */
export class RefusalMemory {
  readonly #now: () => Instant;
  /** By viewer and the lock ID that was asked for; the oldest first. */
  readonly #refusals = new Map<string, Refusal>();

  constructor(now: () => Instant) {
    this.#now = now;
  }

  /** How many refusals are kept. */
  get size(): number {
    return this.#refusals.size;
  }

  /**
   * @param asked the lock ID that the client asked for
   * @param told the lock with words for who waits, which its holder must not be shown: it compares what it reads
   */
  refused(viewer: Viewer, asked: string, lock: SeenLock, told: SeenLock = lock): void {
    this.granted(viewer, asked);
    this.#dropOld();
    if (told.info.length > REMEMBERED_INFO_BYTES_MAX) return;
    this.#refusals.set(keyOf(viewer, asked), { viewer, lock, told, at: this.#now(), looked: false });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > REFUSALS_MAX && oldest !== undefined) this.#refusals.delete(oldest);
  }

  /** Whoever has the lock is owed nothing any more. */
  granted(viewer: Viewer, asked: string): void {
    this.#refusals.delete(keyOf(viewer, asked));
  }

  /** The client looks: the lock that it was refused for, if this is the look that follows on a refusal. */
  looks({ name, port }: Viewer): SeenLock | null {
    this.#dropOld();
    const owed = [...this.#refusals].filter(([, { viewer }]) => viewer.name === name);
    const own = owed.find(([, { viewer }]) => viewer.port === port);
    if (own !== undefined) {
      this.#refusals.delete(own[0]);
      return own[1].told;
    }
    const next = owed.find(([, { looked }]) => !looked)?.[1] ?? null;
    // Another look has come since theirs, so that one was no part of an unlock.
    for (const [key, { looked }] of owed) if (looked) this.#refusals.delete(key);
    if (next === null) return null;
    next.looked = true;
    return next.lock;
  }

  /** The client's last look was the first half of an unlock, and another run of it is still to look. */
  unlooks({ name }: Viewer): void {
    for (const refusal of this.#refusals.values()) {
      if (refusal.viewer.name === name) refusal.looked = false;
    }
  }

  /** The client has ended the lock that it was refused for, and is shown what is there from now on. */
  forget({ name }: Viewer): void {
    for (const [key, { viewer }] of this.#refusals) if (viewer.name === name) this.#refusals.delete(key);
  }

  #dropOld(): void {
    for (const [key, { at }] of this.#refusals) {
      if (this.#now() - at <= REFUSAL_LIFE) return;
      this.#refusals.delete(key);
    }
  }
}

function keyOf({ name }: Viewer, asked: string): string {
  return `${name}\n${asked}`;
}
