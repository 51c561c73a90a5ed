import type { Address } from './address.ts';
import type { Expiry } from './grant.ts';
import type { Milliseconds } from './instant.ts';
import type { Origin } from './origin.ts';
import type { UsageLimits } from './quota.ts';
import type { DatedVersion, RetentionChange, RetentionFloor } from './retained.ts';
import type { LockAlias, StateFacts } from './world.ts';

/** Who acts, as far as the rules care; who may act at all was settled before. */
export interface Actor {
  readonly subject: string;
  readonly door: string;
  /** When its credential ends; absent for one that does not. */
  readonly expiry?: Expiry;
  /** Where its request came from; absent where there is no request. */
  readonly origin?: Origin;
  /** The lock of `statehouse exec` that its request says it is made under, where it says so and names no lock. */
  readonly lent?: string;
}

/**
 * What a writer says of the lock it writes under.
 * - `named`: it names the lock.
 * - `none`: its protocol can name a lock, and it named none (`-lock=false`).
 * - `unnamed`: its protocol cannot name one, so its subject must hold a lock of one of these aliases.
 */
export type Claim =
  | { readonly kind: 'named'; readonly lockId: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unnamed'; readonly aliases: readonly LockAlias[] };

/** A body as the engine keeps it: compressed, sealed in segments, its own data key wrapped by the master key. */
export interface SealedBody {
  readonly id: string;
  readonly keyId: string;
  readonly wrappedKey: Uint8Array;
  /** The master key under which the data key was made, where it was wrapped again since; null where it is not known. Default: `keyId`. */
  readonly madeUnder?: string | null;
  /** The object beside the database that has the segments, of which there are none here then. Absent: they are here. */
  readonly object?: string;
  readonly segments: readonly Uint8Array[];
}

interface OnAddress {
  readonly address: Address;
  readonly actor: Actor;
}

/** Asks for the lock, or asks again. */
export interface LockCommand extends OnAddress {
  readonly type: 'lock';
  readonly lockId: string;
  /** Defaults to the lock ID. */
  readonly waiter: string;
  readonly operation: string;
  /** The door can tell holders apart and the operation only reads, so it may hold the lock beside its like. */
  readonly shared: boolean;
  readonly alias: LockAlias;
  /** How long the hold lasts unless it is renewed; null for one without an end. */
  readonly lease: Milliseconds | null;
  /** How long nobody is granted the lock after this hold has ended by itself; 0 for no delay. */
  readonly delay: Milliseconds;
  /** Sealed; null where the protocol tells it after the lock was granted, by a `describe`. */
  readonly info: Uint8Array | null;
  /** Where the request would be parked; null where it cannot be held open. */
  readonly seat: string | null;
  /** Parks from the first ask on, so long at the most; null for the usual courtesy. */
  readonly wait: Milliseconds | null;
}

/** A parked request has come to the end of its time: it is granted, told to stay a little, or sent to sleep. */
export interface ParkOverCommand extends OnAddress {
  readonly type: 'park-over';
  readonly waiter: string;
  readonly seat: string;
  /** The house is shutting down: no staying. */
  readonly closing: boolean;
}

/** A parked request's client is gone: its place is given up, and a grant that it never heard of is taken back. */
export interface LeaveCommand extends OnAddress {
  readonly type: 'leave';
  readonly waiter: string;
  readonly seat: string;
  /** Only a grant that was never accepted is taken back: its node may live after all, and have answered. Default false. */
  readonly unheard?: boolean;
}

/**
 * The node of a parked request takes up the grant made to it, just before it answers. A grant that was never accepted
 * was never answered, so it may be taken back when the node dies.
 */
export interface AcceptCommand extends OnAddress {
  readonly type: 'accept';
  readonly waiter: string;
  readonly seat: string;
}

export interface UnlockCommand extends OnAddress {
  readonly type: 'unlock';
  /** null: whatever lock is held, which only a break-in may ask. */
  readonly lockId: string | null;
  /** Where no lock is named, one that has been held for less is not broken. Default 0. */
  readonly guard?: Milliseconds;
  /** The one alias to let go; null for all. */
  readonly alias: LockAlias | null;
  /** The actor is an operator of this address and may break another's lock. */
  readonly mayBreak: boolean;
  /** The client says that it has sent this before, so that its alias may have gone already. Default false. */
  readonly resent?: boolean;
}

/** A holder keeps its lock for longer, or gives its hold another end. */
export interface RenewCommand extends OnAddress {
  readonly type: 'renew';
  readonly lockId: string;
  /** From now on; null for a hold without an end. */
  readonly lease: Milliseconds | null;
  /** Another lock ID for the hold, whose former one is spent, and whose lock info is to be told anew. Default: the one that it has. */
  readonly newId?: string;
}

/** A holder tells the lock info of a lock that it holds. */
export interface DescribeCommand extends OnAddress {
  readonly type: 'describe';
  readonly lockId: string;
  readonly operation: string;
  /** Sealed. */
  readonly info: Uint8Array;
}

/** Nobody asks: holds whose time is over end, and the lock goes to those who wait. */
export interface ExpireCommand extends OnAddress {
  readonly type: 'expire';
}

export interface WriteCommand extends OnAddress, StateFacts {
  readonly type: 'write';
  readonly claim: Claim;
  readonly body: SealedBody;
  /** Set by a restore: where the content came from, and the newest version that it was made against. */
  readonly restore: { readonly from: number; readonly newest: number } | null;
  /** A precondition that the protocol carries: the sha256 of the state to replace, or null for "there is none". */
  readonly expects?: { readonly sha256: string | null };
  /** What the project may keep at most; absent for no limit. */
  readonly limits?: UsageLimits;
  /** How long the project retains every version; absent for no time. */
  readonly floor?: RetentionFloor;
}

export interface DeleteCommand extends OnAddress {
  readonly type: 'delete';
  readonly claim: Claim;
  /** A precondition that the protocol carries: the sha256 of the state that is to be deleted. */
  readonly expects?: { readonly sha256: string };
}

export interface UndeleteCommand extends OnAddress {
  readonly type: 'undelete';
  /** The newest version, as far as the asker knows; any if it does not say. */
  readonly newest?: number;
}

/** What the rules ask of whatever lets versions go. */
interface LetsGo extends OnAddress {
  /** How long the project retains every version; absent for no time. */
  readonly floor?: RetentionFloor;
  /** The actor is an admin of this address who lifts what an admin may lift. Default false. */
  readonly bypass?: boolean;
}

/** Drops versions: all of those that are named but for the newest, or none. */
export interface PruneCommand extends LetsGo {
  readonly type: 'prune';
  readonly versions: readonly DatedVersion[];
}

/** Says how long one version is retained. */
export interface RetainCommand extends LetsGo {
  readonly type: 'retain';
  readonly version: DatedVersion;
  readonly change: RetentionChange;
}

/** Drops a deleted state with its whole history. */
export interface PurgeCommand extends LetsGo {
  readonly type: 'purge';
  /** The newest version, as far as the asker knows; any if it does not say. */
  readonly newest?: number;
}

/** The commands about an address, by their types. */
export interface CommandOf {
  readonly lock: LockCommand;
  readonly 'park-over': ParkOverCommand;
  readonly leave: LeaveCommand;
  readonly accept: AcceptCommand;
  readonly unlock: UnlockCommand;
  readonly renew: RenewCommand;
  readonly describe: DescribeCommand;
  readonly expire: ExpireCommand;
  readonly write: WriteCommand;
  readonly delete: DeleteCommand;
  readonly undelete: UndeleteCommand;
  readonly prune: PruneCommand;
  readonly retain: RetainCommand;
  readonly purge: PurgeCommand;
}

export type CommandType = keyof CommandOf;

/** A command about an address: of one type, of several, or of any. */
export type AddressCommand<T extends CommandType = CommandType> = { [K in T]: CommandOf[K] }[T];
