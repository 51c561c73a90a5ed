import type { Instant, Milliseconds } from './instant.ts';
import type { Holder, Version } from './world.ts';

/** The lock was granted, now or before: a lock ID that asks for what it holds gets yes. */
export interface Granted {
  readonly type: 'granted';
  readonly holder: Holder;
  readonly again: boolean;
}

/** The lock is held, and this asker cannot have it now. */
export interface Held {
  readonly type: 'held';
  readonly holders: readonly Holder[];
  /** 1 is next; null where the asker stands in no line. */
  readonly position: number | null;
  readonly waiting: number;
  /** The request is to be held open so long; null to refuse it at once. */
  readonly parkFor: Milliseconds | null;
}

export interface Released {
  readonly type: 'released';
  /** Held by another subject and broken, or released by its holder. */
  readonly broken: boolean;
  readonly lockIds: readonly string[];
}

/** A refusal of a write that would lose a change, with the version that stands in its way. */
export interface Stale {
  readonly type: 'stale';
  readonly reason: 'serial-lower' | 'serial-equal' | 'lineage' | 'changed-meanwhile';
  readonly head: Version | null;
}

/** The lock ID had the lock before, and released it or lost it to a break-in: it is not granted a second time. */
export interface ReleasedBefore {
  readonly type: 'released-before';
  readonly lockId: string;
  readonly at: Instant;
  readonly broken: boolean;
}

export type Outcome =
  | Granted
  | Held
  | Released
  | ReleasedBefore
  /** The request's place is gone: its client left, or came back on another connection. */
  | { readonly type: 'gone' }
  | { readonly type: 'noted' }
  /** Nothing to unlock; or the grant that a request was to take up has been broken. */
  | { readonly type: 'not-locked' }
  /** Another lock than the one named is held. */
  | { readonly type: 'not-holder'; readonly holders: readonly Holder[] }
  /** Breaking another's lock needs the operator role. */
  | { readonly type: 'may-not-break'; readonly holders: readonly Holder[] }
  | { readonly type: 'stored'; readonly version: Version; readonly repeat: boolean }
  | Stale
  /** The lock that the writer names is no longer its own: broken, or released. */
  | { readonly type: 'fenced'; readonly lockId: string; readonly holders: readonly Holder[] }
  /** A plan holds the lock together with others and never writes. */
  | { readonly type: 'shared-hold'; readonly holders: readonly Holder[] }
  | { readonly type: 'deleted'; readonly version: Version; readonly repeat: boolean }
  | { readonly type: 'undeleted'; readonly version: Version }
  | { readonly type: 'pruned'; readonly versions: readonly number[] }
  | { readonly type: 'absent' }
  /** There is a state where the command needs none. */
  | { readonly type: 'exists'; readonly head: Version }
  /** The credential has expired, and it holds no lock here whose work it could bring home. */
  | { readonly type: 'expired' };

/** A lock handed on to a parked waiter in the same step that made it free. */
export interface Handover {
  readonly seat: string;
  readonly waiter: string;
  readonly holder: Holder;
}

/** The short answer to one command: what came of it, and who else was served by it. */
export interface Result {
  readonly outcome: Outcome;
  readonly handovers: readonly Handover[];
}
