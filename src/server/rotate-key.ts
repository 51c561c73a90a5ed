import type { Caller, Shut } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { Reencrypted } from '../house/reencryption.ts';
import { newMasterKeys, writeKeyFile } from '../keyring/key-file.ts';
import type { MasterKeys } from '../keyring/key-text.ts';
import type { Keyring } from '../keyring/keyring.ts';
import type { KeySource } from './master-key.ts';

export type RotationAnswer =
  | {
      readonly type: 'rotated';
      readonly keyId: string;
      /** Whether a key was made; false where the operator gives the keys. */
      readonly newKey: boolean;
      readonly sealedAnew: number;
    }
  | { readonly type: 'rotating' }
  | Shut;

export type ReencryptionAnswer =
  | ({ readonly type: 'reencrypted'; readonly keyId: string } & Reencrypted)
  | Shut;

/** How long one request encrypts states anew, before it tells how far it got. */
const REENCRYPT_MS = 5_000;

/**
 * Changes the master key while the house is open. Where the house keeps the key in a file of its own, it makes a new one,
 * keeps both in the file until everything is sealed anew, and then the new one alone; killed at any moment, it finds in the
 * file every key that it needs. Where the operator gives the keys, or several nodes must be given the same ones, it seals
 * everything anew under the first of them.
 */
export class KeyRotation {
  readonly #house: House;
  readonly #keyring: Keyring;
  readonly #source: KeySource;
  #running = false;

  constructor(options: { house: House; keyring: Keyring; source: KeySource }) {
    this.#house = options.house;
    this.#keyring = options.keyring;
    this.#source = options.source;
  }

  /** @param reencrypt the states are to be encrypted anew as well: if that was begun before, it goes on under the same key */
  async rotate(caller: Caller, { reencrypt = false }: { reencrypt?: boolean } = {}): Promise<RotationAnswer> {
    const refusal = this.#house.refuse(caller, 'manage');
    if (refusal !== null) return refusal;
    if (this.#running) return { type: 'rotating' };
    this.#running = true;
    try {
      return await this.#rotate(caller, reencrypt);
    } finally {
      this.#running = false;
    }
  }

  /** Encrypts states anew for some seconds. @param after where that ended the last time; null to begin */
  async reencrypt(caller: Caller, after: string | null): Promise<ReencryptionAnswer> {
    const refusal = this.#house.refuse(caller, 'manage');
    if (refusal !== null) return refusal;
    const answer = await this.#house.reencrypt(caller, after, REENCRYPT_MS);
    const { keyId } = this.#keyring;
    const { done, damaged, next } = answer;
    this.#house.audit.note(caller, 'reencrypt', null, {
      key: keyId,
      states: done,
      damaged,
      ends: next === null,
    });
    await this.#house.audit.accepted();
    return { type: 'reencrypted', keyId, ...answer };
  }

  async #rotate(caller: Caller, reencrypt: boolean): Promise<RotationAnswer> {
    const { path } = this.#source;
    const own = path !== null && !this.#house.about.manyNodes ? path : null;
    const goesOn = reencrypt && (await this.#house.isReencrypting());
    const newKey = own !== null && !goesOn;
    if (newKey) {
      const [made] = newMasterKeys();
      const keys: MasterKeys = [made, ...this.#keyring.keys];
      writeKeyFile(own, keys);
      this.#keyring.adopt(keys);
    }
    if (reencrypt) await this.#house.beginReencryption();
    const sealedAnew = await this.#house.reseal();
    // What was read a moment ago may still be opened by a former key, so this process goes on knowing it. One that was killed
    // before this has left both in the file.
    if (own !== null) writeKeyFile(own, [this.#keyring.keys[0]]);
    const { keyId } = this.#keyring;
    this.#house.audit.note(caller, 'rotate-key', null, { key: keyId, sealed: sealedAnew });
    await this.#house.audit.accepted();
    return { type: 'rotated', keyId, newKey, sealedAnew };
  }
}
