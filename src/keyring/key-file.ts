import { randomBytes } from 'node:crypto';
import {
  formatMasterKeys,
  makeMasterKey,
  MASTER_KEY_BYTES,
  parseMasterKeys,
  type MasterKeys,
} from './key-text.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

/** A new master key, from the system's randomness. */
export function newMasterKeys(): MasterKeys {
  return [makeMasterKey(randomBytes(MASTER_KEY_BYTES))];
}

/**
 * The master keys of a file, or null when there is no such file.
 * @param exposed whether other users of the machine may be able to read it
 * @throws {ExposedFile} when they are, and may not
 */
export function readKeyFile(path: string, exposed = false): MasterKeys | null {
  try {
    return parseMasterKeys(readPrivateFile(path, exposed));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes the master keys, for the owner's eyes alone; after a power cut the file holds the old keys or the new ones. */
export function writeKeyFile(path: string, keys: MasterKeys): void {
  writePrivateFile(path, formatMasterKeys(keys));
}
