import { join } from 'node:path';
import { newMasterKeys, readKeyFile, writeKeyFile } from '../keyring/key-file.ts';
import { parseMasterKeys, type MasterKeys } from '../keyring/key-text.ts';
import type { Configuration } from './configuration.ts';

/** The name of the master key's file in a data directory. */
export const KEY_FILE = 'master.key';

/** The master keys, and where they are kept if the house may change them. */
export interface KeySource {
  readonly keys: MasterKeys;
  /** null where the keys were given as text, which only the operator can change. */
  readonly path: string | null;
  /** Made just now. */
  readonly isNew: boolean;
}

/** A house that was given no master key and may not make one. */
export class NoMasterKey extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoMasterKey';
  }
}

/**
 * Finds the master keys: given as text, in the file named, or in the data directory, where the first start makes one.
 * @param mayMake false where states are kept already: a new key could not open them
 * @throws {NoMasterKey} when there is none and none may be made
 * @throws {ExposedFile} when other users of the machine can read the file
 */
export function findMasterKeys(
  configuration: Pick<Configuration, 'masterKeys' | 'masterKeyFile' | 'exposedSecrets' | 'store'>,
  mayMake: boolean,
): KeySource {
  const { masterKeys, masterKeyFile, exposedSecrets, store } = configuration;
  if (masterKeys !== null) return { keys: parseMasterKeys(masterKeys), path: null, isNew: false };
  if (store.kind === 'memory') return { keys: newMasterKeys(), path: null, isNew: true };
  const path = masterKeyFile ?? (store.kind === 'directory' ? join(store.path, KEY_FILE) : null);
  if (path === null) {
    throw new NoMasterKey(
      'the master key is missing: all nodes on one PostgreSQL database need the same one. Give it with STATEHOUSE_MASTER_KEY or --master-key-file ("openssl rand -base64 32" creates one)',
    );
  }
  const kept = readKeyFile(path, exposedSecrets);
  if (kept !== null) return { keys: kept, path, isNew: false };
  if (!mayMake) {
    throw new NoMasterKey(
      `the master key ${path} is missing, and the data cannot be read without it: restore the file from your copy`,
    );
  }
  const keys = newMasterKeys();
  writeKeyFile(path, keys);
  return { keys, path, isNew: true };
}
