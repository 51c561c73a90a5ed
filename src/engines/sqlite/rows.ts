import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { AddressRecord, Holder, QueueEntry, Release, Version, World } from '../../core/world.ts';
import type { AuditRecord, Entry, WaitingRequest } from '../../ports/engine.ts';
import { digestOf, type RowKeys } from '../row-keys.ts';
import { openVersion, sealVersion, type StoredVersion } from '../version-facts.ts';
import type { VersionNumbers } from '../version-numbers.ts';
import type { SqlValue } from './files/driver.ts';
import {
  AuthenticatedTable,
  bytes,
  flag,
  json,
  large,
  macOf,
  orNull,
  plain,
  sealed,
  Table,
} from './columns.ts';

export const VERSION: AuthenticatedTable<StoredVersion> = new AuthenticatedTable('version', {
  number: plain('number'),
  serial: large('serial'),
  lineage: plain('lineage'),
  terraformVersion: plain('terraform_version'),
  encrypted: flag('encrypted'),
  facts: bytes('facts'),
  bodyId: plain('body_id'),
  at: plain('at'),
  subject: plain('subject'),
  door: plain('door'),
  lockId: plain('lock_id'),
  fence: plain('fence'),
  operation: plain('operation'),
  forced: flag('forced'),
  restoredFrom: plain('restored_from'),
});

/** The record of an address names its newest version by its number alone, and stands for its other rows. */
export type StoredRecord = Omit<AddressRecord, 'head'> & {
  readonly head: number | null;
  readonly kept: VersionNumbers;
  /** The digest of its holders' rows. */
  readonly holders: Uint8Array;
  /** The audit record of what was decided last; 0 for none. */
  readonly audited: number;
};

export const RECORD: AuthenticatedTable<StoredRecord> = new AuthenticatedTable('record', {
  head: plain('head'),
  deletedAt: plain('deleted_at'),
  lastVersion: plain('last_version'),
  fence: plain('fence'),
  lastTicket: plain('last_ticket'),
  typicalHold: plain('typical_hold'),
  freeAt: plain('free_at'),
  changeIndex: plain('change_index'),
  lastRelease: plain('last_release'),
  kept: plain('kept'),
  holders: bytes('holders'),
  audited: plain('audited'),
  keptFor: plain('kept_for'),
  retained: orNull(json('retained')),
});

export const HOLDER: AuthenticatedTable<Holder> = new AuthenticatedTable(
  'holder',
  {
    lockId: plain('lock_id'),
    waiter: plain('waiter'),
    subject: plain('subject'),
    door: plain('door'),
    operation: plain('operation'),
    shared: flag('shared'),
    fence: plain('fence'),
    since: plain('since'),
    until: plain('until'),
    delay: plain('delay'),
    info: sealed('info'),
    aliases: json('faces'),
    seat: plain('seat'),
    accepted: flag('accepted'),
    answers: json('answers'),
  },
  { remembers: true },
);

export const RELEASE: AuthenticatedTable<Release> = new AuthenticatedTable('release', {
  number: plain('number'),
  lockId: plain('lock_id'),
  subject: plain('subject'),
  broken: flag('broken'),
  heard: flag('heard'),
  at: plain('at'),
});

export const QUEUE_ENTRY: AuthenticatedTable<QueueEntry> = new AuthenticatedTable('place in line', {
  waiter: plain('waiter'),
  lockId: plain('lock_id'),
  ticket: plain('ticket'),
  subject: plain('subject'),
  door: plain('door'),
  operation: plain('operation'),
  shared: flag('shared'),
  alias: plain('face'),
  lease: plain('lease'),
  delay: plain('delay'),
  info: sealed('info'),
  firstAsk: plain('first_ask'),
  lastAsk: plain('last_ask'),
  asks: plain('asks'),
  seat: plain('seat'),
  until: plain('until'),
  origin: orNull(json('origin')),
});

export const CREDENTIAL: AuthenticatedTable<Credential> = new AuthenticatedTable('credential', {
  id: plain('id'),
  name: plain('name'),
  sealedSecret: plain('sealed_secret'),
  grants: json('grants'),
  createdAt: plain('created_at'),
  expiresAt: plain('expires_at'),
  revokedAt: plain('revoked_at'),
});

/** An entry says by null that it has no body. */
export type StoredEntry = Omit<Entry, 'bodyId'> & { readonly bodyId: string | null };

export const ENTRY: AuthenticatedTable<StoredEntry> = new AuthenticatedTable('entry', {
  kind: plain('kind'),
  name: plain('name'),
  attributes: json('attributes'),
  bodyId: plain('body_id'),
});

/** The columns of an address; all null where a row belongs to none. */
export const ADDRESS: Table<Address> = new Table({
  project: plain('project'),
  key: plain('key'),
  workspace: plain('workspace'),
});

/** A note says nothing of what it does not know. */
type StoredNote = Required<Omit<AuditNote, 'refused'>> & { readonly refused: string | null };

export const AUDIT_NOTE: Table<StoredNote> = new Table({
  action: plain('action'),
  subject: plain('subject'),
  door: plain('door'),
  detail: json('detail'),
  origin: json('origin'),
  refused: plain('refused'),
});

const AUDIT_RECORD: Table<Pick<AuditRecord, 'id' | 'at'>> = new Table({ id: plain('id'), at: plain('at') });

const WAITING_REQUEST: Table<Omit<WaitingRequest, 'address'>> = new Table({
  waiter: plain('waiter'),
  seat: plain('seat'),
  granted: flag('granted'),
});

/** The owner of rows that belong to no address. */
export const HOUSE = '';

/** A row of `address` by what stands in it besides the record. */
export interface AddressId {
  readonly id: number;
}

/** An address as its record stands for it. */
export interface RecordOf {
  readonly world: World;
  /** The versions that are kept. */
  readonly kept: VersionNumbers;
  /** The audit record of what was decided last; 0 for none. */
  readonly audited: number;
}

/** Stands for holders that have been read from their rows or written to them. */
export function digestOfHolders(keys: RowKeys, holders: readonly Holder[]): Uint8Array {
  return digestOf(holders.map((holder) => macOf(keys, holder)));
}

/** @param holders have been read from their rows or written to them */
export function recordOf(
  keys: RowKeys,
  { world: { record, holders }, kept, audited }: RecordOf,
): StoredRecord {
  return {
    ...record,
    head: record.head?.number ?? null,
    kept,
    holders: digestOfHolders(keys, holders),
    audited,
  };
}

/** @throws {EngineFault} where the row was changed */
export function toVersion(keys: RowKeys, owner: string, row: unknown): Version {
  return openVersion(keys, owner, VERSION.read(keys, owner, row));
}

/** The values to be bound for a version. */
export function versionValues(keys: RowKeys, owner: string, version: Version): SqlValue[] {
  return VERSION.values(keys, owner, sealVersion(keys, owner, version));
}

export function toEntry({ bodyId, ...entry }: StoredEntry): Entry {
  return { ...entry, ...(bodyId === null ? {} : { bodyId }) };
}

/** @param row an audit record that is joined with its address */
export function toAuditRecord(row: unknown): AuditRecord {
  const address = (row as { address_id: number | null }).address_id === null ? null : ADDRESS.read(row);
  return { ...AUDIT_RECORD.read(row), address, note: toNote(row) };
}

function toNote(row: unknown): AuditNote {
  const { origin, refused, ...note } = AUDIT_NOTE.read(row);
  return {
    ...note,
    ...(Object.keys(origin).length === 0 ? {} : { origin }),
    ...(refused === null ? {} : { refused }),
  };
}

export function storedNoteOf(note: AuditNote): StoredNote {
  return { origin: {}, refused: null, ...note };
}

/** @param row a place or a holder that is joined with its address */
export function toWaitingRequest(row: unknown): WaitingRequest {
  return { address: ADDRESS.read(row), ...WAITING_REQUEST.read(row) };
}

/** SQLite knows no infinity. */
export function whole(value: number): number {
  return Math.max(0, Math.min(value, Number.MAX_SAFE_INTEGER));
}
