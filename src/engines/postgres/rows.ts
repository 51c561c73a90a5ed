import type { Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { AddressRecord, Holder, Place, Release, Version } from '../../core/world.ts';
import type { Entry } from '../../ports/engine.ts';
import type { Row } from './connection.ts';

/** A row to be: values by column. */
export type NewRow = Readonly<Record<string, unknown>>;
/** Reads the id of the master key that something small was sealed under. */
export type KeyIdOf = (sealed: Uint8Array) => string;

/** PostgreSQL's text holds neither NUL nor half a surrogate pair, and a lock ID may hold both. */
const UNSTORABLE = /[\\\0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const STORED = /\\([0-9a-f]{4})/g;

/** Any text as the database can keep it: only "\", NUL and broken surrogates are written otherwise. */
export function toText(text: string): string {
  return text.replace(UNSTORABLE, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function fromText(value: unknown): string {
  return (value as string).replace(STORED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function fromTextOrNull(value: unknown): string | null {
  return value === null ? null : fromText(value);
}

/** The columns that name an address in every table. */
export function addressColumns({ project, key, workspace }: Address): NewRow {
  return { project, key, workspace };
}

export function addressFrom(row: Row): Address {
  return {
    project: row['project'] as string,
    key: row['key'] as string,
    workspace: row['workspace'] as string,
  };
}

export function recordColumns(record: AddressRecord): NewRow {
  return {
    head: record.head?.number ?? null,
    deleted_at: record.deletedAt,
    last_version: record.lastVersion,
    fence: record.fence,
    last_ticket: record.lastTicket,
    typical_hold: record.typicalHold,
    last_release: record.lastRelease,
  };
}

export function recordFrom(row: Row, head: Version | null): AddressRecord {
  return {
    head,
    deletedAt: numberOrNull(row['deleted_at']),
    lastVersion: Number(row['last_version']),
    fence: Number(row['fence']),
    lastTicket: Number(row['last_ticket']),
    typicalHold: numberOrNull(row['typical_hold']),
    lastRelease: Number(row['last_release']),
  };
}

export function versionColumns(version: Version): NewRow {
  return {
    number: version.number,
    serial: version.serial.toString(),
    lineage: toText(version.lineage),
    terraform_version: toText(version.terraformVersion),
    encrypted: version.encrypted,
    size: version.size,
    sha256: version.sha256,
    md5: version.md5,
    body_id: version.bodyId,
    at: version.at,
    subject: toText(version.subject),
    door: version.door,
    lock_id: version.lockId === null ? null : toText(version.lockId),
    fence: version.fence,
    operation: version.operation === null ? null : toText(version.operation),
    forced: version.forced,
    restored_from: version.restoredFrom,
  };
}

export function versionFrom(row: Row): Version {
  return {
    number: Number(row['number']),
    serial: BigInt(row['serial'] as string),
    lineage: fromText(row['lineage']),
    terraformVersion: fromText(row['terraform_version']),
    encrypted: row['encrypted'] as boolean,
    size: Number(row['size']),
    sha256: row['sha256'] as string,
    md5: row['md5'] as string,
    bodyId: row['body_id'] as string,
    at: Number(row['at']),
    subject: fromText(row['subject']),
    door: row['door'] as string,
    lockId: fromTextOrNull(row['lock_id']),
    fence: numberOrNull(row['fence']),
    operation: fromTextOrNull(row['operation']),
    forced: row['forced'] as boolean,
    restoredFrom: numberOrNull(row['restored_from']),
  };
}

export function holderColumns(holder: Holder, keyIdOf: KeyIdOf): NewRow {
  return {
    lock_id: toText(holder.lockId),
    waiter: toText(holder.waiter),
    subject: toText(holder.subject),
    door: holder.door,
    operation: toText(holder.operation),
    shared: holder.shared,
    fence: holder.fence,
    since: holder.since,
    info: bytes(holder.info),
    key_id: keyIdOf(holder.info),
    faces: JSON.stringify(holder.faces),
    seat: holder.seat,
    node: nodeOf(holder.seat),
    accepted: holder.accepted,
    answers: JSON.stringify(holder.answers),
  };
}

export function holderFrom(row: Row): Holder {
  return {
    lockId: fromText(row['lock_id']),
    waiter: fromText(row['waiter']),
    subject: fromText(row['subject']),
    door: row['door'] as string,
    operation: fromText(row['operation']),
    shared: row['shared'] as boolean,
    fence: Number(row['fence']),
    since: Number(row['since']),
    info: plain(row['info']),
    faces: JSON.parse(row['faces'] as string) as string[],
    seat: row['seat'] as string | null,
    accepted: row['accepted'] as boolean,
    answers: JSON.parse(row['answers'] as string) as Holder['answers'],
  };
}

export function releaseColumns({ lockId, number, subject, broken, heard, at }: Release): NewRow {
  return { lock_id: toText(lockId), number, subject: toText(subject), broken, heard, at };
}

export function releaseFrom(row: Row): Release {
  return {
    lockId: fromText(row['lock_id']),
    number: Number(row['number']),
    subject: fromText(row['subject']),
    broken: row['broken'] as boolean,
    heard: row['heard'] as boolean,
    at: Number(row['at']),
  };
}

export function placeColumns(place: Place, keyIdOf: KeyIdOf): NewRow {
  return {
    waiter: toText(place.waiter),
    lock_id: toText(place.lockId),
    ticket: place.ticket,
    subject: toText(place.subject),
    door: place.door,
    operation: toText(place.operation),
    shared: place.shared,
    face: place.face,
    info: bytes(place.info),
    key_id: keyIdOf(place.info),
    first_ask: place.firstAsk,
    last_ask: place.lastAsk,
    asks: place.asks,
    seat: place.seat,
    node: nodeOf(place.seat),
    until: place.until,
  };
}

export function placeFrom(row: Row): Place {
  return {
    waiter: fromText(row['waiter']),
    lockId: fromText(row['lock_id']),
    ticket: Number(row['ticket']),
    subject: fromText(row['subject']),
    door: row['door'] as string,
    operation: fromText(row['operation']),
    shared: row['shared'] as boolean,
    face: row['face'] as string,
    info: plain(row['info']),
    firstAsk: Number(row['first_ask']),
    lastAsk: Number(row['last_ask']),
    asks: Number(row['asks']),
    seat: row['seat'] as string | null,
    until: Number(row['until']),
  };
}

export function credentialColumns(credential: Credential, keyIdOf: KeyIdOf): NewRow {
  return {
    id: credential.id,
    name: toText(credential.name),
    sealed_secret: bytes(credential.sealedSecret),
    key_id: keyIdOf(credential.sealedSecret),
    grants: JSON.stringify(credential.grants),
    created_at: credential.createdAt,
    expires_at: credential.expiresAt,
    revoked_at: credential.revokedAt,
  };
}

export function credentialFrom(row: Row): Credential {
  return {
    id: row['id'] as string,
    name: fromText(row['name']),
    sealedSecret: plain(row['sealed_secret']),
    grants: JSON.parse(row['grants'] as string) as Credential['grants'],
    createdAt: Number(row['created_at']),
    expiresAt: numberOrNull(row['expires_at']),
    revokedAt: numberOrNull(row['revoked_at']),
  };
}

export function entryFrom(row: Row): Entry {
  const bodyId = row['body_id'] as string | null;
  return {
    ...(bodyId === null ? {} : { bodyId }),
    kind: row['kind'] as string,
    name: fromText(row['name']),
    attributes: JSON.parse(row['attributes'] as string) as Entry['attributes'],
  };
}

/** The driver sends a Buffer as it is, and any other array element by element. */
export function bytes(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Bytes that came from the driver, as a plain array that compares like what was given. */
export function plain(value: unknown): Uint8Array {
  return Uint8Array.from(value as Buffer);
}

function numberOrNull(value: unknown): number | null {
  return value === null ? null : Number(value);
}

/** A seat is `node:number`. */
function nodeOf(seat: string | null): string | null {
  return seat === null ? null : seat.slice(0, Math.max(0, seat.lastIndexOf(':')));
}
