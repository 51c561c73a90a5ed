import { z } from 'zod';
import { formatAddress, isAddress, parseAddress, type Address } from '../../../core/address.ts';
import type { Instant, Milliseconds } from '../../../core/instant.ts';
import type { House } from '../../../house/house.ts';
import { defineRecords, type RecordDefinition } from '../../../house/records/define.ts';
import { CONSUL_SESSION_KIND } from '../../../house/records/kinds.ts';
import type { Records } from '../../../house/records/records.ts';
import { SESSION_TTL_MULTIPLIER } from '../layout.ts';

/** Sessions that are kept, and those of one credential: a run that waits an hour makes 230 of them. */
const SESSIONS_MAX = 10_000;
const SESSIONS_OF_ONE_MAX = SESSIONS_MAX / 2;
/** Locks of one session: Terraform takes one. */
export const LOCKS_MAX = 100;
/** How long this node remembers that a session was destroyed, and how many it remembers. */
const ENDED_LIFE: Milliseconds = 60_000;
const ENDED_MAX = 10_000;

/** What the house remembers of a session, so that every node knows it. */
export interface Session {
  readonly subject: string;
  readonly name: string;
  /** null for a session that lives until it is destroyed. */
  readonly ttl: Milliseconds | null;
  readonly lockDelay: Milliseconds;
  readonly behavior: 'release' | 'delete';
  readonly createdAt: Instant;
  /** null for never. */
  readonly endsAt: Instant | null;
  /** The addresses whose locks it was granted, in text form. */
  readonly locks: readonly string[];
}

const SESSIONS: RecordDefinition<Session> = defineRecords<Session>(
  CONSUL_SESSION_KIND,
  z.object({
    subject: z.string(),
    name: z.string(),
    ttl: z.number().nullable(),
    lockDelay: z.number(),
    behavior: z.enum(['release', 'delete']),
    createdAt: z.number(),
    endsAt: z.number().nullable(),
    locks: z.array(z.string()),
  }),
);

/** The sessions of all who use this door. What they hold is held by the house, which ends it in their time. */
export class Sessions {
  readonly #house: House;
  readonly #records: Records<Session>;
  /** One change of a session at a time: a renewal must not lose the lock that is just granted. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #ended = new Map<string, { readonly at: Instant; readonly addresses: readonly Address[] }>();

  constructor(house: House) {
    this.#house = house;
    this.#records = house.records(SESSIONS);
  }

  /** Keeps a new session. Those that have ended are forgotten. @returns false where there are too many */
  async create(id: string, session: Omit<Session, 'createdAt' | 'endsAt' | 'locks'>): Promise<boolean> {
    const now = await this.#house.now();
    const known = await this.#records.known();
    const dead = known.filter(({ record }) => hasEnded(record, now)).map(({ name }) => name);
    if (dead.length > 0) await this.#records.drop(null, ...dead);
    const living = known.length - dead.length;
    const own = known.filter(({ record }) => record.subject === session.subject && !hasEnded(record, now));
    if (living >= SESSIONS_MAX || own.length >= SESSIONS_OF_ONE_MAX) return false;
    const kept = { ...session, createdAt: now, endsAt: endOf(session, now), locks: [] };
    await this.#records.put(null, id, kept);
    return true;
  }

  /** A session that lives, whosoever it is; null for none. */
  async find(id: string): Promise<Session | null> {
    const session = await this.#records.one(id);
    return session === null || hasEnded(session, await this.#house.now()) ? null : session;
  }

  /** Those of a subject, by their IDs. */
  async of(subject: string): Promise<readonly (readonly [id: string, session: Session])[]> {
    const now = await this.#house.now();
    return (await this.#records.list())
      .filter(({ record }) => record.subject === subject && !hasEnded(record, now))
      .map(({ name, record }) => [name, record] as const);
  }

  /** Lets a session live for another TTL. @returns the session as it is now; null where it has ended */
  renew(id: string): Promise<Session | null> {
    return this.#change(id, (session, now) => ({ ...session, endsAt: endOf(session, now) }));
  }

  /** The session was granted the lock of an address, which is renewed and released with it. @returns null where it has ended */
  granted(id: string, address: Address): Promise<Session | null> {
    const name = formatAddress(address);
    return this.#change(id, (session) => ({
      ...session,
      locks: [...session.locks.filter((lock) => lock !== name), name].slice(-LOCKS_MAX),
    }));
  }

  /** Forgets a session, and remembers for a while that it was ended on purpose. */
  async end(id: string, subject: string, addresses: readonly Address[]): Promise<void> {
    const name = `${subject} ${id}`;
    this.#ended.delete(name);
    this.#ended.set(name, { at: await this.#house.now(), addresses });
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > ENDED_MAX && oldest !== undefined) this.#ended.delete(oldest);
    await this.#records.drop(null, id);
  }

  /** Whether a subject has ended that session here just now. */
  async hasJustEnded(id: string, subject: string): Promise<boolean> {
    const ended = this.#ended.get(`${subject} ${id}`);
    return ended !== undefined && (await this.#house.now()) - ended.at <= ENDED_LIFE;
  }

  /** Whether a subject has just ended a session that held the lock of an address. */
  async hasJustUnlocked(address: Address, subject: string): Promise<boolean> {
    const now = await this.#house.now();
    const name = formatAddress(address);
    return [...this.#ended].some(
      ([key, { at, addresses }]) =>
        key.startsWith(`${subject} `) &&
        now - at <= ENDED_LIFE &&
        addresses.some((ended) => formatAddress(ended) === name),
    );
  }

  async #change(id: string, change: (session: Session, now: Instant) => Session): Promise<Session | null> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const mine = before.then(async () => {
      const session = await this.find(id);
      if (session === null) return null;
      const changed = change(session, await this.#house.now());
      await this.#records.put(null, id, changed);
      return changed;
    });
    const turn = mine.catch(() => undefined);
    this.#turns.set(id, turn);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    }
  }
}

/** How long a hold of a session lasts unless the session is renewed; null for as long as it likes. */
export function leaseOf({ ttl }: Pick<Session, 'ttl'>): Milliseconds | null {
  return ttl === null ? null : ttl * SESSION_TTL_MULTIPLIER;
}

/** The addresses whose locks a session was granted. */
export function locksOf({ locks }: Session): readonly Address[] {
  return locks.map(parseAddress).filter(isAddress);
}

function endOf(session: Pick<Session, 'ttl'>, now: Instant): Instant | null {
  const lease = leaseOf(session);
  return lease === null ? null : now + lease;
}

function hasEnded({ endsAt }: Session, now: Instant): boolean {
  return endsAt !== null && now >= endsAt;
}
