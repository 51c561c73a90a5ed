// The words of the house, one meaning each:
//
// address      names one state: project, key, workspace
// version      one write of a state, numbered from 1 up per address; never changed, only superseded or pruned
// lock         what keeps two applies apart; held by one, or shared by plans
// holder       one who holds it; its hold is over when it is released, broken, or has come to its end
// lease        how long a hold lasts unless it is renewed
// lock alias   what one side of a lock is called at a door: a lock file and an item are two aliases of one lock
// fence        a number that grows with every grant at an address
// line         the waiters of an address, in the order of first asking; each has a queue entry
// parked       a waiter whose request is held open; `seat` names that request, `node:number`
// hand-over    a grant to a parked waiter, in the same step that made the lock free
// release      the end of a hold by its holder's hand, or by a break-in; remembered for an hour
// subject      who is asking, as authenticated
// door         the server side of one protocol

import type { Origin } from './origin.ts';
import type { Instant, Milliseconds } from './instant.ts';
import type { Usage } from './quota.ts';
import type { Retained } from './retained.ts';

/** What is known of a state's bytes without keeping them open. */
export interface StateFacts {
  readonly serial: bigint;
  readonly lineage: string;
  /** Empty where OpenTofu's encryption hides it. */
  readonly terraformVersion: string;
  /** OpenTofu's encrypted envelope. */
  readonly encrypted: boolean;
  /** Bytes of the state as it was sent. */
  readonly size: number;
  /** Lower-case hex digests of those bytes. */
  readonly sha256: string;
  readonly md5: string;
}

/** One write of a state, numbered by the house from 1 up per address; never changed, only superseded or pruned. */
export interface Version extends StateFacts {
  readonly number: number;
  readonly bodyId: string;
  readonly at: Instant;
  readonly subject: string;
  readonly door: string;
  /** The lock it was written under, or null when none was held. */
  readonly lockId: string | null;
  readonly fence: number | null;
  readonly operation: string | null;
  /** The lock's operation allowed serial or lineage to go another way, and they did. */
  readonly forced: boolean;
  /** The version whose content a restore brought back. */
  readonly restoredFrom: number | null;
}

/** What one side of a lock is called at the door that it was taken through, such as `s3-lock-file` or `dynamodb-item`. */
export type LockAlias = string;

/** A request that was answered with a grant, or is about to be, and the alias that it was granted. */
export interface GrantAnswer {
  /** Names the request, `node:number`. */
  readonly seat: string;
  readonly alias: LockAlias;
}

/** One who holds the lock: alone, or together with other plans. */
export interface Holder {
  readonly lockId: string;
  /** Whom it was in line as, if it waited. */
  readonly waiter: string;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly shared: boolean;
  readonly fence: number;
  readonly since: Instant;
  /** When the hold ends by itself, unless it is renewed before; null for one that lasts until it is released or broken. */
  readonly until: Instant | null;
  /** How long nobody is granted the lock after this hold has ended by itself. */
  readonly delay: Milliseconds;
  /** The lock info as it was sent, sealed: opened only to be shown. null while its client has not told it yet. */
  readonly info: Uint8Array | null;
  /** A client that takes one lock by two doors' means holds both aliases, and has released it when both are gone. */
  readonly aliases: readonly LockAlias[];
  /** The request that the grant is or was the answer to, `node:number`; null where a door cannot take a grant back. */
  readonly seat: string | null;
  /** False from a hand-over until the waiter's node takes it up. */
  readonly accepted: boolean;
  /**
   * The answers by which the client may have heard of this grant, as far as none is known to be lost. An alias is taken back
   * with the last of its answers; one that has none here stays until it is released or broken.
   */
  readonly answers: readonly GrantAnswer[];
}

/** A waiter's place in line. It keeps its place while it sleeps between two asks. */
export interface QueueEntry {
  /** Usually the lock ID; where a protocol's ask carries none, what the door knows the waiter by. */
  readonly waiter: string;
  readonly lockId: string;
  readonly ticket: number;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly shared: boolean;
  readonly alias: LockAlias;
  /** How long the hold is to last unless it is renewed; null for one without an end. */
  readonly lease: Milliseconds | null;
  /** As of a holder. */
  readonly delay: Milliseconds;
  readonly info: Uint8Array | null;
  readonly firstAsk: Instant;
  readonly lastAsk: Instant;
  readonly asks: number;
  /** Names the held-open request, `node:number`; null while the waiter sleeps. */
  readonly seat: string | null;
  /** Where the waiter asked from last; null where that is not known. */
  readonly origin: Origin | null;
  /** When a parked request is sent away, or a sleeping waiter's place is given up. */
  readonly until: Instant;
}

/** What is known of an address besides its versions, holders and line. */
export interface AddressRecord {
  readonly head: Version | null;
  /** Set while the state is deleted; its versions stay until they are purged. */
  readonly deletedAt: Instant | null;
  readonly lastVersion: number;
  /** Grows with every lock granted here. */
  readonly fence: number;
  readonly lastTicket: number;
  /** How long this address's locks are usually held, a running average; null before the first release. */
  readonly typicalHold: Milliseconds | null;
  /**
   * Nobody is granted the lock before this moment, because a hold has ended by itself or because it is kept for a waiter;
   * null for no such moment.
   */
  readonly freeAt: Instant | null;
  /** The waiter that may be granted the lock before `freeAt`: the first in line, who sleeps and is due back; null for nobody. */
  readonly keptFor: string | null;
  /** Grows with every change of the state and of who holds its lock. */
  readonly changeIndex: number;
  /** How many holds have been released or broken here. */
  readonly lastRelease: number;
  /** Which versions nobody may remove yet; null for none. */
  readonly retained: Retained | null;
}

/**
 * A hold that ended: by its holder's own hand, or broken by somebody else's. Remembered for a while, so that a release that
 * is sent again is answered as the first was, and a request for the lock that comes late does not take it for nobody.
 */
export interface Release {
  /** Counts the releases of the address, from 1 up. */
  readonly number: number;
  readonly lockId: string;
  /** Who released it or broke it. */
  readonly subject: string;
  readonly broken: boolean;
  /** The client may have heard of its grant. One that was broken before that still waits, and may be granted the lock. */
  readonly heard: boolean;
  readonly at: Instant;
}

/** All that `decide` may know: the address as it is inside the transaction. */
export interface World {
  readonly record: AddressRecord;
  /** In the order of their fences. */
  readonly holders: readonly Holder[];
  /** In the order of their tickets. */
  readonly line: readonly QueueEntry[];
  /** Those that `releasesAsked` names for the command, and maybe more. Newest last. */
  readonly releases: readonly Release[];
  /** What the project keeps; only for commands that ask for it by their `limits`. */
  readonly usage?: Usage;
}

/** An address that nobody has used yet. */
export const NEW_RECORD: AddressRecord = {
  head: null,
  deletedAt: null,
  lastVersion: 0,
  fence: 0,
  lastTicket: 0,
  typicalHold: null,
  freeAt: null,
  keptFor: null,
  changeIndex: 0,
  lastRelease: 0,
  retained: null,
};

/** The world of an address that nobody has used yet. */
export const NEW_WORLD: World = { record: NEW_RECORD, holders: [], line: [], releases: [] };

/** The state as readers see it: none while it is deleted. */
export function liveHead(record: AddressRecord): Version | null {
  return record.deletedAt === null ? record.head : null;
}
