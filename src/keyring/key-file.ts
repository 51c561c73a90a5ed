import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  formatMasterKeys,
  makeMasterKey,
  MASTER_KEY_BYTES,
  parseMasterKeys,
  type MasterKeys,
} from './key-text.ts';

/** A new master key, from the system's randomness. */
export function newMasterKeys(): MasterKeys {
  return [makeMasterKey(randomBytes(MASTER_KEY_BYTES))];
}

/** The master keys of a file, or null when there is no such file. */
export function readKeyFile(path: string): MasterKeys | null {
  try {
    return parseMasterKeys(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Writes the master keys, for the owner's eyes alone; after a power cut the file holds the old keys or the new ones. */
export function writeKeyFile(path: string, keys: MasterKeys): void {
  const next = `${path}.new`;
  const file = openSync(next, 'w', 0o600);
  try {
    writeSync(file, formatMasterKeys(keys));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
  const directory = openSync(dirname(path), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
