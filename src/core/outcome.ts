import type { Instant, Milliseconds } from './instant.ts';
import type { Excess, QuotaMeasure } from './quota.ts';
import type { Retaining } from './retained.ts';
import type { Holder, Version } from './world.ts';

/** The lock was granted, now or before: a lock ID that asks for what it holds gets yes. */
export interface Granted {
  readonly type: 'granted';
  readonly holder: Holder;
  readonly again: boolean;
}

/** What a refusal tells of the lock that is in its way. */
interface OfHolders {
  readonly holders: readonly Holder[];
  /** How long locks are usually held at this address, and when that was looked up: in all that has been decided. */
  readonly usualHold?: Milliseconds | null;
  readonly at?: Instant;
}

/** The lock is held, and this asker cannot have it now. */
export interface Held extends OfHolders {
  readonly type: 'held';
  /** 1 is next; null where the asker stands in no line. */
  readonly position: number | null;
  readonly waiting: number;
  /** The request is to be held open so long; null to refuse it at once. */
  readonly parkFor: Milliseconds | null;
}

/** The lock ID had the lock before, and released it or lost it to a break-in: it is not granted a second time. */
export interface ReleasedBefore {
  readonly type: 'released-before';
  readonly lockId: string;
  readonly at: Instant;
  readonly broken: boolean;
}

/** The request's place is gone: its client left, or came back on another connection. */
export interface Gone {
  readonly type: 'gone';
}

/** The waiter has left the line. */
export interface Left {
  readonly type: 'left';
}

export interface Released {
  readonly type: 'released';
  /** Held by another subject and broken, or released by its holder. */
  readonly broken: boolean;
  readonly lockIds: readonly string[];
}

/** Nothing to unlock; or the grant that a request was to take up has been broken. */
export interface NotLocked {
  readonly type: 'not-locked';
}

/** Another lock than the one named is held. */
export interface NotHolder extends OfHolders {
  readonly type: 'not-holder';
}

/** The hold has a new end. */
export interface Renewed {
  readonly type: 'renewed';
  readonly holder: Holder;
}

/** The lock info is known now. */
export interface Described {
  readonly type: 'described';
  readonly holder: Holder;
}

/** Holds that had come to their end are over. */
export interface Ended {
  readonly type: 'ended';
}

/** Breaking another's lock needs the operator role. */
export interface MayNotBreak extends OfHolders {
  readonly type: 'may-not-break';
}

/** A lock is not broken by who does not name it while it is this young: its holder may well be at work. */
export interface TooYoung extends OfHolders {
  readonly type: 'too-young';
  readonly guard: Milliseconds;
}

export interface Stored {
  readonly type: 'stored';
  readonly version: Version;
  /** The same write had been stored before: nothing was changed. */
  readonly repeat: boolean;
  /** The limit that the project is above now; absent for none. */
  readonly above?: QuotaMeasure;
}

/** The project keeps as much as it may. */
export interface OverQuota extends Excess {
  readonly type: 'over-quota';
  readonly project: string;
}

/** A refusal of a write that would lose a change, with the version that stands in its way. */
export interface Stale {
  readonly type: 'stale';
  readonly reason: 'serial-lower' | 'serial-equal' | 'lineage' | 'changed-meanwhile';
  readonly head: Version | null;
}

/** The lock that the writer names is no longer its own: broken, or released. */
export interface Fenced extends OfHolders {
  readonly type: 'fenced';
  readonly lockId: string;
}

/** A plan holds the lock together with others and never writes. */
export interface SharedHold extends OfHolders {
  readonly type: 'shared-hold';
}

export interface Deleted {
  readonly type: 'deleted';
  readonly version: Version;
  readonly repeat: boolean;
}

export interface Undeleted {
  readonly type: 'undeleted';
  readonly version: Version;
}

/** Versions were dropped that are no longer to be kept. */
export interface Pruned {
  readonly type: 'pruned';
  readonly versions: readonly number[];
}

/** Something that nobody may remove yet was to be removed, or to be retained for less long. */
export interface RetainedStill extends Retaining {
  readonly type: 'retained';
  /** The version; null for one or more of all of them. */
  readonly version: number | null;
}

/** It is remembered how long a version is retained. */
export interface RetentionSet {
  readonly type: 'retention-set';
}

/** So many versions of the state have a retention of their own that no more can be remembered. */
export interface RetentionsFull {
  readonly type: 'retentions-full';
  readonly limit: number;
}

/** A deleted state was dropped with its whole history. */
export interface Purged {
  readonly type: 'purged';
}

/** There is no state. */
export interface Absent {
  readonly type: 'absent';
}

/** There is a state where the command needs none. */
export interface Exists {
  readonly type: 'exists';
  readonly head: Version;
}

/** The credential has expired, and it holds no lock here whose work it could bring home. */
export interface Expired {
  readonly type: 'expired';
  /** The time in which it could have brought its work home is over, too. */
  readonly graceOver?: true;
}

/** Why the lock does not let a change of the state through. */
export type LockRefusal = Held | Fenced | SharedHold;

/** What may come of each command. A new outcome is a compile error wherever that command's outcomes are answered. */
export interface OutcomeOf {
  readonly lock: Granted | Held | ReleasedBefore | Expired;
  readonly 'park-over': Granted | Held | Gone | NotLocked;
  readonly leave: Left | Released | Gone;
  readonly accept: Granted | Held | Gone | NotLocked | Expired;
  readonly unlock: Released | NotLocked | NotHolder | MayNotBreak | TooYoung | Expired;
  readonly renew: Renewed | NotLocked | NotHolder | Expired;
  readonly describe: Described | NotLocked | NotHolder | Expired;
  readonly expire: Ended;
  readonly write: Stored | Stale | LockRefusal | OverQuota | Expired;
  readonly delete: Deleted | Absent | Stale | LockRefusal | Expired;
  readonly undelete: Undeleted | Absent | Exists | LockRefusal | Expired;
  readonly prune: Pruned | RetainedStill;
  readonly retain: RetentionSet | RetainedStill | RetentionsFull | Expired;
  readonly purge: Purged | Absent | Exists | Held | RetainedStill | Expired;
}

export type Outcome = OutcomeOf[keyof OutcomeOf];

/** A lock handed on to a parked waiter in the same step that made it free. */
export interface Handover {
  readonly seat: string;
  readonly waiter: string;
  readonly holder: Holder;
}

/** The short answer to one command about an address: what came of it, and who else was served by it. */
export interface Result<O extends Outcome = Outcome> {
  readonly outcome: O;
  readonly handovers: readonly Handover[];
}
