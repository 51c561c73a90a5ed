import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { Instant } from '../../core/instant.ts';
import type { AddressRecord, Holder, QueueEntry, Release, Version, World } from '../../core/world.ts';
import type { AuditRecord, Entry, WaitingRequest } from '../../ports/engine.ts';
import { digestOf, type RowKeys } from '../row-keys.ts';
import { openVersion, sealVersion, type StoredVersion } from '../version-facts.ts';
import type { VersionNumbers } from '../version-numbers.ts';
import {
  AuthenticatedTable,
  binary,
  json,
  large,
  number,
  orNull,
  plain,
  sealed,
  Table,
  text,
  type KeyIdOf,
  type NewRow,
} from './columns.ts';
import type { Row } from './connection.ts';

/** The columns that name an address in every table. */
export const ADDRESS: Table<Address> = new Table({
  project: plain('project'),
  key: plain('key'),
  workspace: plain('workspace'),
});

/** The owner of rows that belong to no address. */
export const HOUSE = '';

/** The record of an address names its newest version by its number alone, and stands for its other rows. */
export type StoredRecord = Omit<AddressRecord, 'head'> & {
  readonly head: number | null;
  readonly kept: VersionNumbers;
  /** The digest of its holders' rows. */
  readonly holders: Uint8Array;
  /** When it was changed last. */
  readonly changedAt: Instant;
  /** The audit record of what was decided last; empty for none. */
  readonly audited: string;
};

export const RECORD: AuthenticatedTable<StoredRecord> = new AuthenticatedTable('record', {
  head: orNull(number('head')),
  deletedAt: orNull(number('deleted_at')),
  lastVersion: number('last_version'),
  fence: number('fence'),
  lastTicket: number('last_ticket'),
  typicalHold: orNull(number('typical_hold')),
  freeAt: orNull(number('free_at')),
  changeIndex: number('change_index'),
  lastRelease: number('last_release'),
  kept: plain('kept'),
  holders: binary('holders'),
  changedAt: number('changed_at'),
  audited: plain('audited'),
  keptFor: orNull(text('kept_for')),
  retained: orNull(json('retained')),
});

export const VERSION: AuthenticatedTable<StoredVersion> = new AuthenticatedTable('version', {
  number: number('number'),
  serial: large('serial'),
  lineage: text('lineage'),
  terraformVersion: text('terraform_version'),
  encrypted: plain('encrypted'),
  facts: binary('facts'),
  bodyId: plain('body_id'),
  at: number('at'),
  subject: text('subject'),
  door: plain('door'),
  lockId: orNull(text('lock_id')),
  fence: orNull(number('fence')),
  operation: orNull(text('operation')),
  forced: plain('forced'),
  restoredFrom: orNull(number('restored_from')),
});

export const HOLDER: AuthenticatedTable<Holder> = new AuthenticatedTable(
  'holder',
  {
    lockId: text('lock_id'),
    waiter: text('waiter'),
    subject: text('subject'),
    door: plain('door'),
    operation: text('operation'),
    shared: plain('shared'),
    fence: number('fence'),
    since: number('since'),
    until: orNull(number('until')),
    delay: number('delay'),
    info: sealed('info'),
    aliases: json('faces'),
    seat: plain('seat'),
    accepted: plain('accepted'),
    answers: json('answers'),
  },
  { key_id: ({ info }, keyIdOf) => keyIdOfInfo(info, keyIdOf), node: ({ seat }) => nodeOf(seat) },
);

export const RELEASE: AuthenticatedTable<Release> = new AuthenticatedTable('release', {
  number: number('number'),
  lockId: text('lock_id'),
  subject: text('subject'),
  broken: plain('broken'),
  heard: plain('heard'),
  at: number('at'),
});

export const QUEUE_ENTRY: AuthenticatedTable<QueueEntry> = new AuthenticatedTable(
  'place in line',
  {
    waiter: text('waiter'),
    lockId: text('lock_id'),
    ticket: number('ticket'),
    subject: text('subject'),
    door: plain('door'),
    operation: text('operation'),
    shared: plain('shared'),
    alias: plain('face'),
    lease: orNull(number('lease')),
    delay: number('delay'),
    info: sealed('info'),
    firstAsk: number('first_ask'),
    lastAsk: number('last_ask'),
    asks: number('asks'),
    seat: plain('seat'),
    until: number('until'),
    origin: orNull(json('origin')),
  },
  { key_id: ({ info }, keyIdOf) => keyIdOfInfo(info, keyIdOf), node: ({ seat }) => nodeOf(seat) },
);

export const CREDENTIAL: AuthenticatedTable<Credential> = new AuthenticatedTable(
  'credential',
  {
    id: plain('id'),
    name: text('name'),
    sealedSecret: binary('sealed_secret'),
    grants: json('grants'),
    createdAt: number('created_at'),
    expiresAt: orNull(number('expires_at')),
    revokedAt: orNull(number('revoked_at')),
  },
  { key_id: ({ sealedSecret }, keyIdOf) => keyIdOf(sealedSecret) },
);

/** An entry says by null that it has no body. */
type StoredEntry = Omit<Entry, 'bodyId'> & { readonly bodyId: string | null };

export const ENTRY: AuthenticatedTable<StoredEntry> = new AuthenticatedTable('entry', {
  kind: plain('kind'),
  name: text('name'),
  attributes: json('attributes'),
  bodyId: plain('body_id'),
});

/** A note says nothing of what it does not know. */
type StoredNote = Required<Omit<AuditNote, 'refused'>> & { readonly refused: string | null };

export const AUDIT_NOTE: Table<StoredNote> = new Table({
  action: plain('action'),
  subject: text('subject'),
  door: plain('door'),
  detail: json('detail'),
  origin: json('origin'),
  refused: plain('refused'),
});

const AUDIT_RECORD: Table<Pick<AuditRecord, 'id' | 'at'>> = new Table({
  id: number('id'),
  at: number('at'),
});

const WAITING_REQUEST: Table<Omit<WaitingRequest, 'address'>> = new Table({
  waiter: text('waiter'),
  seat: plain('seat'),
  granted: plain('granted'),
});

/** What is not sealed is under no key. */
function keyIdOfInfo(info: Uint8Array | null, keyIdOf: KeyIdOf): string {
  return info === null ? '' : keyIdOf(info);
}

/** An address as its record stands for it. */
export interface RecordOf {
  readonly world: World;
  readonly kept: VersionNumbers;
  readonly changedAt: Instant;
  readonly audited: string;
}

export function recordRow(
  keys: RowKeys,
  owner: string,
  { world, kept, changedAt, audited }: RecordOf,
): NewRow {
  const { record, holders } = world;
  return RECORD.row(keys, owner, {
    ...record,
    head: record.head?.number ?? null,
    kept,
    holders: digestOf(holders.map((holder) => HOLDER.macOf(keys, owner, holder))),
    changedAt,
    audited,
  });
}

/** @throws {EngineFault} where the row was changed */
export function toVersion(keys: RowKeys, owner: string, row: Row): Version {
  return openVersion(keys, owner, VERSION.read(keys, owner, row));
}

export function versionRow(keys: RowKeys, owner: string, version: Version): NewRow {
  return VERSION.row(keys, owner, sealVersion(keys, owner, version));
}

export function toEntry(keys: RowKeys, row: Row): Entry {
  const { bodyId, ...entry } = ENTRY.read(keys, HOUSE, row);
  return { ...entry, ...(bodyId === null ? {} : { bodyId }) };
}

export function toAuditRecord(row: Row): AuditRecord {
  const address = row['project'] === null ? null : ADDRESS.read(row);
  return { ...AUDIT_RECORD.read(row), address, note: toNote(row) };
}

function toNote(row: Row): AuditNote {
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

/** @param row a place or a holder */
export function toWaitingRequest(row: Row): WaitingRequest {
  return { address: ADDRESS.read(row), ...WAITING_REQUEST.read(row) };
}

/** A seat is `node:number`. */
function nodeOf(seat: string | null): string | null {
  return seat === null ? null : seat.slice(0, Math.max(0, seat.lastIndexOf(':')));
}
