import type { GoneObject } from './body-store.ts';
import type { BodyMark, ReplacedBody, Resealed } from './sealed-anew.ts';
import type { IndexCommand, StateIndex } from './state-index.ts';
import type { Address } from '../core/address.ts';
import type { AddressCommand, SealedBody } from '../core/command.ts';
import type { Credential } from '../core/credential.ts';
import type { AuditNote, Effect } from '../core/effect.ts';
import type { Instant } from '../core/instant.ts';
import type { Usage } from '../core/quota.ts';
import type { Decision } from '../core/rules/draft.ts';
import type { Handover, Outcome } from '../core/outcome.ts';
import type { Version, World } from '../core/world.ts';

/** What an engine can do, so that the house asks for traits and never for a name. */
export interface EngineTraits {
  readonly name: string;
  /** Other nodes may write to the same rows, so nothing read may be cached. Default false. */
  readonly shared: boolean;
}

/**
 * Something that is named and remembered: a project, or what a door must know by name. Attributes are JSON.
 * An entry may have a body, such as one piece of a state that is sent in pieces: any node can read it, and it goes when
 * its entry is dropped or put again.
 */
export interface Entry {
  readonly kind: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Absent where the entry has no body. */
  readonly bodyId?: string;
}

/**
 * What must be stored under a name for a change of it to be made: these attributes, or null for nothing at all. Attributes
 * are compared as JSON values, in the transaction that makes the change.
 */
export type Expected = Entry['attributes'] | null;

/** Changes to the house's own records. They need no decision: the last one wins, unless an entry's change says what it expects. */
export type RecordCommand =
  | { readonly type: 'put-credential'; readonly credential: Credential; readonly note: AuditNote | null }
  /** Changes what is given of a credential that is not revoked. Where there is none, nothing is changed: {@link CONFLICT}. */
  | {
      readonly type: 'change-credential';
      readonly id: string;
      readonly change: Partial<Pick<Credential, 'grants' | 'expiresAt'>>;
      readonly note: AuditNote | null;
    }
  /** Forgets the credentials that were revoked, or expired, before these moments: asked of each row as it is now. */
  | {
      readonly type: 'drop-credentials';
      readonly revokedBefore: Instant;
      readonly expiredBefore: Instant;
      readonly note: AuditNote | null;
    }
  | {
      readonly type: 'put-entry';
      readonly entry: Entry;
      /** The body that `entry.bodyId` names; absent where it names none. */
      readonly body?: SealedBody;
      /** Absent: nothing is compared. */
      readonly expects?: Expected;
      readonly note: AuditNote | null;
    }
  | {
      readonly type: 'drop-entry';
      readonly kind: string;
      readonly name: string;
      /** Absent: nothing is compared. */
      readonly expects?: Expected;
      readonly note: AuditNote | null;
    }
  | {
      readonly type: 'audit';
      readonly address: Address | null;
      readonly note: AuditNote;
      /** When it was, where another engine noted it; absent for now. */
      readonly at?: Instant;
    }
  /**
   * Forgets the oldest records of the audit log, at most so many, up to the first that is not older than a moment, and never
   * the newest. It is noted where there were any.
   */
  | {
      readonly type: 'prune-audit';
      readonly before: Instant;
      readonly limit: number;
      readonly note: AuditNote | null;
    }
  /** Rows of an address as another engine had them, for moving a house: they were decided about there, and no rule is asked. */
  | { readonly type: 'adopt'; readonly address: Address; readonly effects: readonly Effect[] }
  /** New wrappings of the same data keys and secrets, after the master key was changed. */
  | { readonly type: 'reseal'; readonly items: readonly Resealed[] }
  /** Bodies that say the same under new data keys; none that is not there any more, or has another wrapping meanwhile. */
  | { readonly type: 'replace-bodies'; readonly bodies: readonly ReplacedBody[] }
  /** Forgets objects that are gone, because they were deleted. */
  | { readonly type: 'forget-objects'; readonly names: readonly string[] }
  | IndexCommand;

export type Command = AddressCommand | RecordCommand;

/** What comes of a record command: it is stored, without a decision. */
export interface Noted {
  readonly type: 'noted';
}

/** Something else is stored than the command expects: nothing was changed, and nothing was noted. */
export interface Conflict {
  readonly type: 'conflict';
}

/** So many records of the audit log were forgotten. */
export interface AuditPruned {
  readonly type: 'audit-pruned';
  readonly records: number;
}

/** What is to be told of commands besides their outcomes. */
export interface Telling {
  /** What was noted of them. Default: an engine need not tell it, because it may be dear to. */
  readonly notes?: boolean;
}

/** What came of one command, and who else was served by it. */
export interface CommandResult {
  readonly outcome: Outcome | Noted | Conflict | AuditPruned;
  readonly handovers: readonly Handover[];
  /** What was noted of a command about an address, where that was asked for. */
  readonly notes?: readonly AuditNote[];
}

/** What an engine gives back of a decision that it has stored. */
export function resultOf({ outcome, effects, handovers }: Decision): CommandResult {
  const notes = effects.flatMap((effect) => (effect.type === 'audit' ? [effect.note] : []));
  return notes.length === 0 ? { outcome, handovers } : { outcome, handovers, notes };
}

/** The result of a record command that is stored. */
export const NOTED: CommandResult = { outcome: { type: 'noted' }, handovers: [] };
/** The result of a record command that expected something else. */
export const CONFLICT: CommandResult = { outcome: { type: 'conflict' }, handovers: [] };

/** The result of a command that forgets records of the audit log. */
export function auditPruned(records: number): CommandResult {
  return { outcome: { type: 'audit-pruned', records }, handovers: [] };
}

/** One line of the audit log. */
export interface AuditRecord {
  /** Grows with time; unique in this house. */
  readonly id: number;
  readonly at: Instant;
  readonly address: Address | null;
  readonly note: AuditNote;
}

/** What is known of the audit log once all of it was looked at. */
export interface WholeLog {
  readonly records: number;
  /** Where it ends: kept elsewhere, it tells of a log that was cut. */
  readonly head: string;
  /** How many records were forgotten, because they were older than is kept. */
  readonly pruned: number;
  /** The former heads that are among those, so that nothing can be said of them. */
  readonly prunedHeads: readonly string[];
}

/** The actions of notes that somebody looked at something of an address, or prepared something, which changes nothing. */
export const LOOK_ACTIONS: readonly string[] = [
  'read',
  'read-outputs',
  'list-versions',
  'read-lock',
  'read-audit',
  'subscribe',
  'upload-begin',
  'upload-complete',
  'upload-abort',
  'write-kept',
  'read-kept',
  'drop-kept',
];

/** Something that was stored about an address. */
export interface ChangeRecord extends AuditRecord {
  readonly address: Address;
}

/** A stretch of the audit log, in the order in which it was written. */
export interface AuditStretch<R extends AuditRecord = AuditRecord> {
  /** Oldest first, their ids ascending. */
  readonly records: readonly R[];
  /** Nothing will ever appear up to here that was not told: what to go on after. */
  readonly position: number;
  /** Records after the position that was asked for have been forgotten: changes before the first of these may be missing. */
  readonly pruned?: true;
}

/** A stretch of the feed of changes. */
export type Changes = AuditStretch<ChangeRecord>;

/** Which records of the audit log are asked for. */
export type AuditFilter = Omit<AuditQuery, 'before' | 'limit'>;

/** Some of many entries. */
export interface EntryPage {
  /** Those that come after this one. */
  readonly after?: Pick<Entry, 'kind' | 'name'>;
  readonly limit: number;
}

export interface StateQuery {
  readonly project?: string;
  /** Only keys that begin so. */
  readonly keyPrefix?: string;
  /** Only those whose object names begin so and come after one. In their order, byte by byte, and not in that of addresses. */
  readonly named?: { readonly prefix: string; readonly after: string };
  /** Only states whose text form contains this. */
  readonly search?: string;
  /** Deleted states too. Default false. */
  readonly deleted?: boolean;
  /** Every address that was ever used, even if nothing is kept there now but its counters. Default false. */
  readonly used?: boolean;
  /** Only those that are locked. Default false. */
  readonly locked?: boolean;
  /** With the lines of who waits, which may be long. Default false: they are empty. */
  readonly lines?: boolean;
  /** Starts after this address. */
  readonly after?: Address;
  readonly limit: number;
}

/** An address that has a state, had one, or is locked. Ordered by project, key and workspace, byte by byte. */
export interface StateSummary {
  readonly address: Address;
  readonly world: World;
}

export interface AuditQuery {
  readonly address?: Address;
  readonly action?: string;
  readonly subject?: string;
  /** Only records made at this moment or later. */
  readonly since?: Instant;
  /** Only records made before this moment. */
  readonly until?: Instant;
  /** Only what was refused. Default false. */
  readonly refused?: boolean;
  /** Only records older than this id: newest come first. */
  readonly before?: number;
  readonly limit: number;
}

/** How much an engine keeps. */
export interface StoredFigures {
  /** States that are not deleted. */
  readonly states: number;
  readonly versions: number;
  /** Bytes of all that is stored: of the database, with its free pages. */
  readonly bytes: number;
}

/** A request that is held open somewhere, or a grant that its node has not yet taken up. */
export interface WaitingRequest {
  readonly address: Address;
  readonly waiter: string;
  readonly seat: string;
  readonly granted: boolean;
}

/**
 * Where the house keeps everything. Small on purpose: no protocol's notion enters it, and all rules are `decide`'s.
 *
 * Every method throws `EngineFault` when it cannot know the answer; "absent" is said only when it is proven.
 */
export interface Engine extends StateIndex, AsyncDisposable {
  readonly traits: EngineTraits;

  /**
   * Decides each address command with `decide`, in order, each atomic, and stores its effects in the same transaction.
   * Resolves once all of them are durable. Commands given by concurrent calls share a flush.
   * A body that is given is the engine's from then on: its segments may be handed to another thread, and be gone here.
   * @returns one result per command: of an address command an outcome of its own type, of a record command
   *   {@link NOTED} or {@link CONFLICT}, or how much of the audit log was forgotten
   */
  apply(commands: readonly Command[], telling?: Telling): Promise<readonly CommandResult[]>;

  /** The address as it now is, but for its releases, which only commands are given. */
  world(address: Address): Promise<World>;
  /** Newest first, older than `before` if that is given. */
  versions(address: Address, query: { before?: number; limit: number }): Promise<readonly Version[]>;
  /** @param number null for the newest, where there is a state */
  version(address: Address, number: number | null): Promise<Version | null>;
  states(query: StateQuery): Promise<readonly StateSummary[]>;
  /** Addresses where a hold has come to its end, or the delay after one, by the engine's clock, and nothing was done about it yet. */
  ending(limit: number): Promise<readonly Address[]>;
  /** Wrapped key and segments of a body; null when there is no such body. Segments are read as they are consumed. */
  body(bodyId: string): Promise<StoredBody | null>;

  credentials(): Promise<readonly Credential[]>;
  /** Of one kind, or null for all. By kind and name, byte by byte. */
  entries(kind: string | null, page?: EntryPage): Promise<readonly Entry[]>;
  /** One of them; null when there is none. */
  entry(kind: string, name: string): Promise<Entry | null>;
  /** What a project keeps, as it was counted in the transactions that changed it. */
  usage(project: string): Promise<Usage>;
  audit(query: AuditQuery): Promise<readonly AuditRecord[]>;
  /**
   * What was written to the audit log after a position. None is left out, however transactions overlap: what is not settled
   * comes later.
   * @param after the position to go on from; null for the present end, of which no record is told
   * @param limit records at most; where fewer come, the end was reached
   */
  auditAfter(after: number | null, filter: AuditFilter, limit: number): Promise<AuditStretch>;
  /**
   * What was stored about addresses, as a feed that is kept: the records of the audit log with an address, but for refusals
   * and for what changes nothing ({@link LOOK_ACTIONS}). Two changes of one address come in the order in which they were decided.
   * @param after the position to go on from; null for the present end, of which no record is told
   * @param limit records at most; where fewer come, the end was reached
   */
  changes(after: number | null, limit: number): Promise<Changes>;
  /** Where the audit log ends, as far as this node has written it: kept elsewhere, it tells of a log that was cut. Empty for nowhere. */
  auditHead(): Promise<string>;
  /** Says that a node lives. @returns the nodes that live, by the engine's clock; where no other can be, only this one */
  beat(node: string): Promise<readonly string[]>;
  /** The seats of a node, or of all nodes but it. */
  seats(query: { node: string } | { notNode: string }): Promise<readonly WaitingRequest[]>;
  /** Counts what is kept, while others have their turn: dear where there is much of it, so ask now and then only. */
  figures(): Promise<StoredFigures>;
  /** Everything that is sealed under another key than this one, a page at a time; empty when the rotation is done. */
  sealedUnderOther(keyId: string, limit: number): Promise<readonly Resealed[]>;

  /** All bodies, in an order of the engine's own in which new ones may stand anywhere. @param after null for the first */
  bodies(after: string | null, limit: number): Promise<readonly BodyMark[]>;

  /** The objects that bodies are in, by name, byte by byte. @param after null for the first */
  objects(after: string | null, limit: number): Promise<readonly string[]>;
  /** The objects that no body is in any more, and that are not forgotten, by name. */
  goneObjects(after: string | null, limit: number): Promise<readonly GoneObject[]>;

  /** The engine's clock, which alone says what is older. */
  now(): Promise<Instant>;
  /** Throws unless the engine can answer and write. */
  check(): Promise<void>;
}

export interface StoredBody extends Omit<SealedBody, 'segments'> {
  /** None where an object has them. */
  segments(): AsyncIterable<Uint8Array>;
}

/** The engine cannot say whether something is so: never to be answered as "absent" or "refused". */
export class EngineFault extends Error {
  /** Nothing can be trusted any more (disk full, a failed flush): the house must stop. */
  readonly fatal: boolean;
  /** It has too much to do now, or is about to come back: the same again a little later may go well. */
  readonly busy: boolean;

  constructor(message: string, options: { cause?: unknown; fatal?: boolean; busy?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.name = 'EngineFault';
    this.fatal = options.fatal ?? false;
    this.busy = options.busy ?? false;
  }
}
