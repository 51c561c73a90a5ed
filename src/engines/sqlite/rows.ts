import type { Grant } from '../../core/grant.ts';
import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { AuditNote } from '../../core/effect.ts';
import type { AddressRecord, GrantAnswer, Holder, Place, Release, Version } from '../../core/world.ts';
import type { AuditRecord, Entry, Seat } from '../../ports/engine.ts';
import type { SqlValue } from './driver.ts';

/** Rows as SQLite gives them, and back. Column lists stand in the order in which the values are bound. */
export const VERSION_COLUMNS: string =
  'number, serial, lineage, terraform_version, encrypted, size, sha256, md5, body_id, at, subject, door, lock_id, fence, ' +
  'operation, forced, restored_from';

export interface VersionRow {
  readonly number: number;
  readonly serial: string;
  readonly lineage: string;
  readonly terraform_version: string;
  readonly encrypted: number;
  readonly size: number;
  readonly sha256: string;
  readonly md5: string;
  readonly body_id: string;
  readonly at: number;
  readonly subject: string;
  readonly door: string;
  readonly lock_id: string | null;
  readonly fence: number | null;
  readonly operation: string | null;
  readonly forced: number;
  readonly restored_from: number | null;
}

export function toVersion(row: VersionRow): Version {
  return {
    number: row.number,
    serial: BigInt(row.serial),
    lineage: row.lineage,
    terraformVersion: row.terraform_version,
    encrypted: row.encrypted === 1,
    size: row.size,
    sha256: row.sha256,
    md5: row.md5,
    bodyId: row.body_id,
    at: row.at,
    subject: row.subject,
    door: row.door,
    lockId: row.lock_id,
    fence: row.fence,
    operation: row.operation,
    forced: row.forced === 1,
    restoredFrom: row.restored_from,
  };
}

export function versionValues(version: Version): SqlValue[] {
  return [
    version.number,
    version.serial.toString(),
    version.lineage,
    version.terraformVersion,
    Number(version.encrypted),
    version.size,
    version.sha256,
    version.md5,
    version.bodyId,
    version.at,
    version.subject,
    version.door,
    version.lockId,
    version.fence,
    version.operation,
    Number(version.forced),
    version.restoredFrom,
  ];
}

export const RECORD_COLUMNS: string =
  'head, deleted_at, last_version, fence, last_ticket, typical_hold, last_release';

export interface RecordRow {
  readonly id: number;
  readonly head: number | null;
  readonly deleted_at: number | null;
  readonly last_version: number;
  readonly fence: number;
  readonly last_ticket: number;
  readonly typical_hold: number | null;
  readonly last_release: number;
}

export function toRecord(row: RecordRow, head: Version | null): AddressRecord {
  return {
    head,
    deletedAt: row.deleted_at,
    lastVersion: row.last_version,
    fence: row.fence,
    lastTicket: row.last_ticket,
    typicalHold: row.typical_hold,
    lastRelease: row.last_release,
  };
}

export function recordValues(record: AddressRecord): SqlValue[] {
  return [
    record.head?.number ?? null,
    record.deletedAt,
    record.lastVersion,
    record.fence,
    record.lastTicket,
    record.typicalHold,
    record.lastRelease,
  ];
}

export const HOLDER_COLUMNS: string =
  'lock_id, waiter, subject, door, operation, shared, fence, since, info, faces, seat, accepted, answers';

export interface HolderRow {
  readonly lock_id: string;
  readonly waiter: string;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly shared: number;
  readonly fence: number;
  readonly since: number;
  readonly info: Uint8Array;
  readonly faces: string;
  readonly seat: string | null;
  readonly accepted: number;
  readonly answers: string;
}

export function toHolder(row: HolderRow): Holder {
  return {
    lockId: row.lock_id,
    waiter: row.waiter,
    subject: row.subject,
    door: row.door,
    operation: row.operation,
    shared: row.shared === 1,
    fence: row.fence,
    since: row.since,
    info: row.info,
    faces: JSON.parse(row.faces) as string[],
    seat: row.seat,
    accepted: row.accepted === 1,
    answers: JSON.parse(row.answers) as GrantAnswer[],
  };
}

export function holderValues(holder: Holder): SqlValue[] {
  return [
    holder.lockId,
    holder.waiter,
    holder.subject,
    holder.door,
    holder.operation,
    Number(holder.shared),
    holder.fence,
    holder.since,
    holder.info,
    JSON.stringify(holder.faces),
    holder.seat,
    Number(holder.accepted),
    JSON.stringify(holder.answers),
  ];
}

export const RELEASE_COLUMNS = 'lock_id, number, subject, broken, heard, at';

export interface ReleaseRow {
  readonly lock_id: string;
  readonly number: number;
  readonly subject: string;
  readonly broken: number;
  readonly heard: number;
  readonly at: number;
}

export function toRelease(row: ReleaseRow): Release {
  const { lock_id: lockId, number, subject, at } = row;
  return { lockId, number, subject, broken: row.broken === 1, heard: row.heard === 1, at };
}

export function releaseValues({ lockId, number, subject, broken, heard, at }: Release): SqlValue[] {
  return [lockId, number, subject, Number(broken), Number(heard), at];
}

export const PLACE_COLUMNS: string =
  'waiter, lock_id, ticket, subject, door, operation, shared, face, info, first_ask, last_ask, asks, seat, until';

export interface PlaceRow {
  readonly waiter: string;
  readonly lock_id: string;
  readonly ticket: number;
  readonly subject: string;
  readonly door: string;
  readonly operation: string;
  readonly shared: number;
  readonly face: string;
  readonly info: Uint8Array;
  readonly first_ask: number;
  readonly last_ask: number;
  readonly asks: number;
  readonly seat: string | null;
  readonly until: number;
}

export function toPlace(row: PlaceRow): Place {
  return {
    waiter: row.waiter,
    lockId: row.lock_id,
    ticket: row.ticket,
    subject: row.subject,
    door: row.door,
    operation: row.operation,
    shared: row.shared === 1,
    face: row.face,
    info: row.info,
    firstAsk: row.first_ask,
    lastAsk: row.last_ask,
    asks: row.asks,
    seat: row.seat,
    until: row.until,
  };
}

export function placeValues(place: Place): SqlValue[] {
  return [
    place.waiter,
    place.lockId,
    place.ticket,
    place.subject,
    place.door,
    place.operation,
    Number(place.shared),
    place.face,
    place.info,
    place.firstAsk,
    place.lastAsk,
    place.asks,
    place.seat,
    place.until,
  ];
}

export const CREDENTIAL_COLUMNS: string =
  'id, name, sealed_secret, grants, created_at, expires_at, revoked_at';

export interface CredentialRow {
  readonly id: string;
  readonly name: string;
  readonly sealed_secret: Uint8Array;
  readonly grants: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

export function toCredential(row: CredentialRow): Credential {
  return {
    id: row.id,
    name: row.name,
    sealedSecret: row.sealed_secret,
    grants: JSON.parse(row.grants) as Grant[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  };
}

export function credentialValues(credential: Credential): SqlValue[] {
  return [
    credential.id,
    credential.name,
    credential.sealedSecret,
    JSON.stringify(credential.grants),
    credential.createdAt,
    credential.expiresAt,
    credential.revokedAt,
  ];
}

export interface EntryRow {
  readonly kind: string;
  readonly name: string;
  readonly attributes: string;
  readonly body_id: string | null;
}

export function toEntry(row: EntryRow): Entry {
  const attributes = JSON.parse(row.attributes) as Entry['attributes'];
  return {
    kind: row.kind,
    name: row.name,
    attributes,
    ...(row.body_id === null ? {} : { bodyId: row.body_id }),
  };
}

/** The three columns of an address; all null where a row belongs to none. */
export interface AddressRow {
  readonly project: string;
  readonly key: string;
  readonly workspace: string;
}

export function toAddress({ project, key, workspace }: AddressRow): Address {
  return { project, key, workspace };
}

export interface AuditRow extends AddressRow {
  readonly id: number;
  readonly at: number;
  readonly address_id: number | null;
  readonly action: string;
  readonly subject: string;
  readonly door: string;
  readonly detail: string;
}

export function toAuditRecord(row: AuditRow): AuditRecord {
  const { id, at, action, subject, door } = row;
  const detail = JSON.parse(row.detail) as AuditNote['detail'];
  const address = row.address_id === null ? null : toAddress(row);
  return { id, at, address, note: { action, subject, door, detail } };
}

export function auditValues(note: AuditNote): SqlValue[] {
  return [note.action, note.subject, note.door, JSON.stringify(note.detail)];
}

export interface SeatRow extends AddressRow {
  readonly waiter: string;
  readonly seat: string;
  readonly granted: number;
}

export function toSeat(row: SeatRow): Seat {
  return { address: toAddress(row), waiter: row.waiter, seat: row.seat, granted: row.granted === 1 };
}

/** SQLite knows no infinity. */
export function whole(value: number): number {
  return Math.max(0, Math.min(value, Number.MAX_SAFE_INTEGER));
}
