import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { House } from '../../house/house.ts';
import { defineRecords, type RecordDefinition } from '../../house/records/define.ts';
import { SEEN_LOCK_KIND } from '../../house/records/kinds.ts';
import type { Records } from '../../house/records/records.ts';

/** Clients whose last look at a lock this node remembers, and calls. */
const LOOKS_MAX = 10_000;
/** A client deletes right after it has looked; whoever looked longer ago means what is there now. */
const LOOK_LIFE: Milliseconds = 60_000;
/** How often a node forgets what is stored for longer than it is asked for. */
const PRUNE_PAUSE: Milliseconds = 10 * 60_000;

/** A lock that somebody was shown, or meant to end. */
interface Seen {
  readonly lockId: string;
  readonly at: Instant;
}

const SEEN_LOCKS: RecordDefinition<Seen> = defineRecords<Seen>(
  SEEN_LOCK_KIND,
  z.object({ lockId: z.string(), at: z.number() }),
);

/**
 * Which lock a client was last shown. AWS clients release a lock in two steps: they read it, compare its ID, and then delete
 * whatever is there. What they mean is the lock that they read, so that is the one that is ended, even if the request comes
 * twice, to another node, after a restart, or after the lock has gone to somebody else.
 *
 * What a call has meant is stored before anything is ended. Looks are stored where there may be other nodes.
 */
export class LockMemory {
  readonly #house: Pick<House, 'now'>;
  readonly #records: Records<Seen>;
  readonly #isShared: boolean;
  /** Of a node that is alone, by client and address; the oldest first. */
  readonly #looks = new Map<string, Seen>();
  #prunedAt: Instant = -Infinity;
  readonly #startedAt: Promise<Instant>;

  constructor(house: Pick<House, 'now' | 'records' | 'about'>) {
    this.#house = house;
    this.#records = house.records(SEEN_LOCKS);
    this.#isShared = house.about.manyNodes;
    this.#startedAt = house.now();
    // Whoever needs it is told of the fault.
    this.#startedAt.catch(() => undefined);
  }

  async saw(client: string, address: Address, lockId: string): Promise<void> {
    const name = lookOf(client, address);
    const seen = { lockId, at: await this.#house.now() };
    if (this.#isShared) return this.#records.put(null, name, seen);
    // The newest stands last, so that the oldest goes first.
    this.#looks.delete(name);
    this.#looks.set(name, seen);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > LOOKS_MAX && oldest !== undefined) this.#looks.delete(oldest);
  }

  /** The ID of the lock that this client saw here just now; null if it did not look. */
  async lastSeen(client: string, address: Address): Promise<string | null> {
    const name = lookOf(client, address);
    const seen = this.#isShared ? await this.#records.one(name) : (this.#looks.get(name) ?? null);
    return seen !== null && (await this.#house.now()) - seen.at <= LOOK_LIFE ? seen.lockId : null;
  }

  /** Until when a lock must have been granted for a look at it to be possible of which nothing is known here. */
  async knowsSince(): Promise<Instant> {
    const oldest = (await this.#house.now()) - LOOK_LIFE;
    return this.#isShared ? oldest : Math.max(oldest, await this.#startedAt);
  }

  /**
   * A call to end a lock means this one, unless it has meant another before. Whatever its client is shown until it comes again, it
   * means no other: between a deletion and its repetition another run of the client may have got the lock, and be seen.
   * @returns the ID of the lock that it means
   */
  async meant(client: string, callId: string, lockId: string): Promise<string> {
    const at = await this.#house.now();
    const seen = await this.#records.update(
      null,
      callOf(client, callId),
      (before) => before ?? { lockId, at },
    );
    void this.#prune(at);
    return seen?.lockId ?? lockId;
  }

  /** The ID of the lock that this call has meant before; null where it is new. */
  async meantBefore(client: string, callId: string): Promise<string | null> {
    return (await this.#records.one(callOf(client, callId)))?.lockId ?? null;
  }

  async #prune(now: Instant): Promise<void> {
    if (now - this.#prunedAt < PRUNE_PAUSE) return;
    this.#prunedAt = now;
    const isOld = ({ at }: Seen): boolean => now - at > PRUNE_PAUSE;
    try {
      for await (const page of this.#records.pages()) {
        const old = page.filter(({ record }) => isOld(record)).map(({ name }) => name);
        if (old.length > 0) await this.#records.drop(null, ...old);
      }
    } catch {
      // They are in nobody's way: the next time takes them along.
    }
  }
}

/** Names are as long as clients like; what is stored is not. */
function nameOf(kind: string, ...parts: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
  return `${kind} ${digest}`;
}

function lookOf(client: string, address: Address): string {
  return nameOf('look', client, formatAddress(address));
}

function callOf(client: string, callId: string): string {
  return nameOf('call', client, callId);
}
