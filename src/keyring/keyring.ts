import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DrawnBytes } from '../ports/drawn-bytes.ts';
import { SealError, type DataKey, type Sealer } from '../ports/sealer.ts';
import { MASTER_KEY_BYTES, type MasterKey, type MasterKeys } from './key-text.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of whatever the keyring seals, so that the form can change one day. */
const FORM = 1;
const KEY_ID_BYTES = 4;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const NO_BYTES = new Uint8Array();

const drawn = new DrawnBytes(randomBytes);

/**
 * Seals with AES-256-GCM under a master key, and opens what any of its keys has sealed.
 *
 * Small things: form (1 byte), key id (4), nonce (12), ciphertext, tag (16). Bodies: a data key of their own, wrapped as a
 * small thing, and segments whose nonce is their number, which never repeats under one data key.
 */
export class Keyring implements Sealer {
  #keys: ReadonlyMap<string, MasterKey> = new Map();
  #current: MasterKey;
  /** What the current key seals begins with this. */
  #header: Uint8Array = NO_BYTES;
  /** How often each key has sealed. */
  readonly #seals = new Map<string, number>();

  /** @param keys the first one seals */
  constructor(keys: MasterKeys) {
    this.#current = keys[0];
    this.adopt(keys);
  }

  /** Uses these keys from now on. */
  adopt(keys: MasterKeys): void {
    this.#current = keys[0];
    this.#header = Buffer.from([FORM, ...Buffer.from(keys[0].id, 'hex')]);
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  get keyId(): string {
    return this.#current.id;
  }

  get seals(): number {
    return this.#seals.get(this.#current.id) ?? 0;
  }

  /** All keys, the sealing one first. */
  get keys(): MasterKeys {
    const { id } = this.#current;
    return [this.#current, ...[...this.#keys.values()].filter((key) => key.id !== id)];
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    const nonce = drawn.take(NONCE_BYTES);
    this.#seals.set(this.#current.id, this.seals + 1);
    const { bytes } = this.#current;
    return Buffer.concat([this.#header, nonce, ...encrypted(bytes, nonce, plain, Buffer.from(context))]);
  }

  open(sealed: Uint8Array, context: string): Uint8Array {
    const key = this.#keys.get(this.keyIdOf(sealed));
    if (key === undefined) {
      throw new SealError(
        `this is encrypted under master key ${this.keyIdOf(sealed)}, but the given master keys are ${[...this.#keys.keys()].join(', ')}`,
      );
    }
    const nonce = sealed.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES);
    return decrypt(key.bytes, nonce, sealed.subarray(HEADER_BYTES + NONCE_BYTES), Buffer.from(context));
  }

  keyIdOf(sealed: Uint8Array): string {
    return sealedKeyId(sealed);
  }

  newDataKey(context: string): DataKey & { readonly wrappedKey: Uint8Array } {
    const bytes = drawn.take(MASTER_KEY_BYTES);
    return { ...dataKey(bytes), wrappedKey: this.seal(bytes, dataKeyContext(context)) };
  }

  openDataKey(wrappedKey: Uint8Array, context: string): DataKey {
    return dataKey(this.open(wrappedKey, dataKeyContext(context)));
  }

  resealDataKey(wrappedKey: Uint8Array, context: string): Uint8Array {
    return this.seal(this.open(wrappedKey, dataKeyContext(context)), dataKeyContext(context));
  }
}

/** The id of the master key that something small was sealed under: it stands in the clear. */
export function sealedKeyId(sealed: Uint8Array): string {
  if (sealed[0] !== FORM || sealed.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES) {
    throw new SealError('these bytes were not encrypted by Statehouse, or are damaged');
  }
  return Buffer.from(sealed.subarray(1, HEADER_BYTES)).toString('hex');
}

function dataKeyContext(context: string): string {
  return `data-key ${context}`;
}

function dataKey(bytes: Uint8Array): DataKey {
  return {
    sealSegment: (plain, index, last) =>
      Buffer.concat(encrypted(bytes, segmentNonce(index, last), plain, NO_BYTES)),
    openSegment: (sealed, index, last) => decrypt(bytes, segmentNonce(index, last), sealed, NO_BYTES),
  };
}

function segmentNonce(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(index, 0);
  nonce.writeUInt8(last ? 1 : 0, 4);
  return nonce;
}

/** The ciphertext and the tag, in pieces. */
function encrypted(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, context: Uint8Array): Buffer[] {
  const cipher = createCipheriv(CIPHER, key, nonce);
  cipher.setAAD(context);
  // In this mode nothing is left to be said at the end, but without the end there is no tag.
  return [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
}

function decrypt(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, context: Uint8Array): Buffer {
  const end = sealed.length - TAG_BYTES;
  if (end < 0) throw new SealError('the encrypted bytes are too short: they are damaged');
  try {
    const decipher = createDecipheriv(CIPHER, key, nonce);
    decipher.setAAD(context);
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  } catch {
    throw new SealError(
      'the encrypted bytes cannot be decrypted: the master key is another one, or they are damaged',
    );
  }
}
