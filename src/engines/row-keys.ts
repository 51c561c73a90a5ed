import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Address } from '../core/address.ts';
import { DrawnBytes } from '../ports/drawn-bytes.ts';
import { EngineFault } from '../ports/engine.ts';
import type { OpenRowKey } from '../ports/row-key.ts';
import { HmacSha256, sha256 } from './hmac.ts';

const KEY_BYTES = 32;
/** AES-GCM takes nonces of 12 bytes. */
const NONCE_BYTES = 12;
const CIPHER = 'aes-256-gcm';
const TAG_BYTES = 16;

const drawn = new DrawnBytes(randomBytes);

/** A value as a database keeps it. */
export type StoredValue = null | undefined | boolean | number | bigint | string | Uint8Array;

/**
 * Authenticates rows with HMAC-SHA256 and seals columns with AES-256-GCM, each under a key that follows from the key of the
 * rows by HKDF-SHA256. A row's code is over its kind, whose it is, and every value in it, so that no row can stand for another.
 */
export class RowKeys {
  readonly #hmac: HmacSha256;
  /** As bytes: a key object is dearer to use. */
  readonly #sealKey: Uint8Array;
  /** The codes of rows that were read or written, by what the rows say, which never changes. */
  readonly macs: WeakMap<object, Uint8Array> = new WeakMap();

  /** @param bytes 32 of them; without a key rows are guarded against accidents alone */
  constructor(bytes: Uint8Array = new Uint8Array(KEY_BYTES)) {
    const derive = (use: string): Buffer =>
      Buffer.from(hkdfSync('sha256', bytes, '', `statehouse rows ${use}`, KEY_BYTES));
    this.#hmac = new HmacSha256(derive('authentication'));
    this.#sealKey = derive('sealing');
  }

  /**
   * Nulls at the end count for nothing, so that a later program may add columns that are null in the rows that are there.
   * @param owner whose row it is, such as {@link ownerOf} an address
   */
  mac(kind: string, owner: string, values: readonly StoredValue[]): Uint8Array {
    let text = encoded(kind) + encoded(owner);
    const last = values.findLastIndex((value) => value !== null && value !== undefined);
    for (let index = 0; index <= last; index += 1) text += encoded(values[index]);
    return this.#hmac.digest(text);
  }

  /** @throws {EngineFault} unless exactly these values were written by a server with this key */
  verify(kind: string, owner: string, values: readonly StoredValue[], mac: StoredValue): void {
    const expected = this.mac(kind, owner, values);
    const same =
      mac instanceof Uint8Array && mac.length === expected.length && timingSafeEqual(mac, expected);
    if (!same) throw changedElsewhere(kind, owner);
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    const nonce = drawn.take(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#sealKey, nonce).setAAD(Buffer.from(context));
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws {EngineFault} unless these bytes were sealed with this key in this context */
  open(sealed: Uint8Array, context: string): Uint8Array {
    try {
      const end = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, this.#sealKey, sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(end));
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]);
    } catch {
      throw changedElsewhere('sealed column', context);
    }
  }
}

/** Where nobody has a key: rows are guarded against accidents alone, and those that have no code are not taken. */
export const NO_ROW_KEY: OpenRowKey = () => ({
  bytes: new Uint8Array(KEY_BYTES),
  sealed: new Uint8Array(),
  adopts: false,
});

/** Stands for a list of rows by their codes, in their order. */
export function digestOf(macs: readonly Uint8Array[]): Uint8Array {
  return sha256(Buffer.concat(macs));
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Names an address as the owner of rows; no part has a line feed. */
export function ownerOf({ project, key, workspace }: Address): string {
  return `${project}\n${key}\n${workspace}`;
}

/** What to say of a row that this server has not written. */
export function changedElsewhere(kind: string, owner: string): EngineFault {
  const of = owner === '' ? '' : ` of ${owner.replaceAll('\n', ' ')}`;
  return new EngineFault(
    `the ${kind}${of} was changed in the database by something else than this server: find out by whom, ` +
      'then restore a backup with "statehouse restore-backup"',
  );
}

/** Each value by its type and length, so that no two lists of values read the same. */
function encoded(value: StoredValue): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'boolean') return value ? '+1' : '+0';
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return `b${text.length}:${text}`;
  }
  const text = String(value);
  return `t${text.length}:${text}`;
}
