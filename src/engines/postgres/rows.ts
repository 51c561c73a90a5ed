import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { AddressRecord, Holder, QueueEntry, Release, Version } from '../../core/world.ts';
import type { AuditRecord, Entry, WaitingRequest } from '../../ports/engine.ts';
import { binary, json, large, number, orNull, plain, sealed, Table, text, type KeyIdOf } from './columns.ts';
import type { Row } from './connection.ts';

/** The columns that name an address in every table. */
export const ADDRESS: Table<Address> = new Table({
  project: plain('project'),
  key: plain('key'),
  workspace: plain('workspace'),
});

/** The record of an address names its newest version by its number alone. */
type StoredRecord = Omit<AddressRecord, 'head'> & { readonly head: number | null };

export const RECORD: Table<StoredRecord> = new Table({
  head: orNull(number('head')),
  deletedAt: orNull(number('deleted_at')),
  lastVersion: number('last_version'),
  fence: number('fence'),
  lastTicket: number('last_ticket'),
  typicalHold: orNull(number('typical_hold')),
  freeAt: orNull(number('free_at')),
  changeIndex: number('change_index'),
  lastRelease: number('last_release'),
});

export const VERSION: Table<Version> = new Table({
  number: number('number'),
  serial: large('serial'),
  lineage: text('lineage'),
  terraformVersion: text('terraform_version'),
  encrypted: plain('encrypted'),
  size: number('size'),
  sha256: plain('sha256'),
  md5: plain('md5'),
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

export const HOLDER: Table<Holder> = new Table(
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

export const RELEASE: Table<Release> = new Table({
  number: number('number'),
  lockId: text('lock_id'),
  subject: text('subject'),
  broken: plain('broken'),
  heard: plain('heard'),
  at: number('at'),
});

export const QUEUE_ENTRY: Table<QueueEntry> = new Table(
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
  },
  { key_id: ({ info }, keyIdOf) => keyIdOfInfo(info, keyIdOf), node: ({ seat }) => nodeOf(seat) },
);

export const CREDENTIAL: Table<Credential> = new Table(
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

export const ENTRY: Table<StoredEntry> = new Table({
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

export function toRecord(stored: StoredRecord, head: Version | null): AddressRecord {
  return { ...stored, head };
}

export function recordOf(record: AddressRecord): StoredRecord {
  return { ...record, head: record.head?.number ?? null };
}

export function toEntry(row: Row): Entry {
  const { bodyId, ...entry } = ENTRY.read(row);
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
