import type { Address } from '../core/address.ts';
import type { Role } from '../core/grant.ts';
import type { LockInfo } from '../core/lock-info.ts';

/** A credential's id and secret. */
export interface DoorCredential {
  readonly id: string;
  readonly secret: string;
}

/** A request that was not done, and why, as far as a client of the protocol can tell from the answer. */
export interface Refused {
  readonly type: 'refused';
  /**
   * `credential`: unknown, expired, or without the right. `locked`: another holds the lock. `conflict`: the lock that was
   * meant is not held any more, or the write would lose a change. `fault`: the server could not know; ask again.
   */
  readonly because: 'credential' | 'locked' | 'conflict' | 'fault' | 'other';
  /** The answer in words, for the message of a failed test. */
  readonly says: string;
}

/** @typeParam Type the answer of a request that was done and says nothing more */
export type Done<Type extends string> = { readonly type: Type } | Refused;

export type LockReply =
  | { readonly type: 'granted' }
  /** @see DoorTraits.tellsHolder */
  | { readonly type: 'held'; readonly holder: Pick<LockInfo, 'id'> | null }
  | Refused;

export type LookReply =
  | { readonly type: 'free' }
  | { readonly type: 'locked'; readonly info: LockInfo }
  | Refused;

export type ReadReply =
  | { readonly type: 'state'; readonly bytes: Uint8Array }
  | { readonly type: 'absent' }
  | Refused;

/** What Terraform does at a door: its requests in its order, sent once, over the protocol's own library where there is one. */
export interface DoorClient {
  /** Asks once for the lock. The request is given up, and its connection closed, when the signal says so. */
  lock(at: Address, info: LockInfo, signal?: AbortSignal): Promise<LockReply>;
  unlock(at: Address, info: LockInfo): Promise<Done<'released'>>;
  /** Sends the last request of a release again, as a client does whose answer was lost. */
  unlockAgain(at: Address, info: LockInfo): Promise<Done<'released'>>;
  /** `force-unlock`: ends the lock with this ID, whoever holds it. */
  breakLock(at: Address, lockId: string): Promise<Done<'released'>>;
  look(at: Address): Promise<LookReply>;
  read(at: Address): Promise<ReadReply>;
  /** @param lock the lock that the writer holds, or believes to hold; null with `-lock=false` */
  write(at: Address, bytes: Uint8Array, lock: LockInfo | null): Promise<Done<'stored'>>;
  delete(at: Address, lock: LockInfo | null): Promise<Done<'deleted'>>;
  close(): void;
}

/** What a door cannot do because its protocol cannot. */
export interface DoorTraits {
  /** States of other workspaces than `default` can be named. */
  readonly workspaces: boolean;
  /** Whoever is refused the lock learns who holds it. */
  readonly tellsHolder: boolean;
  /**
   * By what its clients take the lock. One that takes it by several means holds it until it has released each; a means of
   * the same name at another door is the same one.
   */
  readonly means: readonly string[];
  /**
   * null where a write names its lock. Else the family of doors whose clients cannot: what a subject writes at one of them
   * counts as written under the lock that the same subject holds through any of them.
   */
  readonly unnamedWrites: string | null;
}

/** A door that the contract is tried on. */
export interface DoorUnderTest {
  readonly name: string;
  readonly traits: DoorTraits;
  /** Makes what an administrator makes once before anybody comes, such as a table. It may be called again. */
  readonly prepare?: (url: string, admin: DoorCredential) => Promise<void>;
  readonly client: (url: string, as: DoorCredential) => DoorClient;
}

/** A running server, and what a test must be able to do to it behind its doors. */
export interface HouseUnderTest {
  readonly url: string;
  readonly admin: DoorCredential;
  /** @param expiresAt milliseconds since the epoch; null for never */
  credential(role: Role, pattern: string, expiresAt: number | null): Promise<DoorCredential>;
  revoke(credential: DoorCredential): Promise<void>;
  /** How many versions of a state are kept. */
  versions(at: Address): Promise<number>;
  /** How many requests for a lock are held open now. */
  parked(): number;
  /** Runs the work while the engine can neither read nor write. */
  whileEngineFails<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
