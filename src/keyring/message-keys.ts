import { hkdfSync } from 'node:crypto';
import type { MessageSealer } from '../ports/sealer.ts';
import { MASTER_KEY_BYTES, type MasterKey, type MasterKeys } from './key-text.ts';
import { Keyring } from './keyring.ts';

/**
 * Seals messages between nodes. Each context has a key of its own, which follows from the master key by HKDF-SHA256, so that
 * neither many messages nor many senders wear out the master key's nonces. Seals under the key that the keyring seals with
 * now, and opens under every key that the keyring has, so that nodes understand each other while the key is changed.
 */
export class MessageKeys implements MessageSealer {
  readonly #keyring: Keyring;

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
  }

  seal(plain: Uint8Array, context: string): Uint8Array {
    return new Keyring([derive(this.#keyring.keys[0], context)]).seal(plain, context);
  }

  open(sealed: Uint8Array, context: string): Uint8Array {
    const [first, ...others] = this.#keyring.keys;
    const keys: MasterKeys = [derive(first, context), ...others.map((key) => derive(key, context))];
    return new Keyring(keys).open(sealed, context);
  }
}

/** It goes by the id of the key that it follows from. */
function derive({ id, bytes }: MasterKey, context: string): MasterKey {
  const derived = hkdfSync('sha256', bytes, '', `statehouse message ${context}`, MASTER_KEY_BYTES);
  return { id, bytes: Buffer.from(derived) };
}
