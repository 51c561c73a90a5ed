import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAuthenticated, secretsOf, SqliteArchive } from '../engines/sqlite/files/archive.ts';
import { restoreBackup } from '../engines/sqlite/files/backup.ts';
import { credentialContext } from '../house/identity/known-credentials.ts';
import { writeKeyFile } from '../keyring/key-file.ts';
import { parseMasterKeys, type MasterKeys } from '../keyring/key-text.ts';
import { readPrivateFile } from '../keyring/private-file.ts';
import { Keyring } from '../keyring/keyring.ts';
import { EngineFault } from '../ports/engine.ts';
import { verifyRows } from '../house/integrity.ts';
import { KEY_FILE } from './master-key.ts';
import { rowKeyUnder } from './row-key.ts';

/**
 * Makes a data directory out of a backup, and puts the master key into it if that is given.
 * @returns where the key is now; null when none was given
 * @throws {EngineFault} when the directory has a database or another key already, or the backup is damaged or was edited
 * @throws {SealError} when the key does not open what is in the backup: nothing was made then
 */
export async function restoreHouse(options: {
  readonly backup: string;
  readonly directory: string;
  readonly keyFile: string | null;
  /** Whether other users of the machine may be able to read that file. */
  readonly exposedSecrets: boolean;
}): Promise<string | null> {
  const { backup, directory, keyFile, exposedSecrets } = options;
  const keyText = keyFile === null ? null : readPrivateFile(keyFile, exposedSecrets);
  const keys = keyText === null ? null : parseMasterKeys(keyText);
  if (keys !== null) await proveKeys(keys, backup);
  const path = join(directory, KEY_FILE);
  if (keys !== null && existsSync(path) && readFileSync(path, 'utf8') !== keyText)
    throw new EngineFault(`${path} exists and differs from ${keyFile}: remove one of them`);
  restoreBackup(backup, directory);
  if (keys === null) return existsSync(path) ? path : null;
  writeKeyFile(path, keys);
  return path;
}

/** Opens every secret that is in the backup, and looks whether every row of it is as a server with these keys wrote it. */
async function proveKeys(keys: MasterKeys, backup: string): Promise<void> {
  const keyring = new Keyring(keys);
  for (const { id, sealedSecret } of secretsOf(backup)) keyring.open(sealedSecret, credentialContext(id));
  // What a former program wrote is not authenticated yet: it must be adopted when the server starts.
  if (!isAuthenticated(backup)) return;
  const archive = SqliteArchive.open(backup, ({ sealed }) => rowKeyUnder(keyring, sealed, false));
  try {
    await verifyRows(archive);
  } finally {
    archive[Symbol.dispose]();
  }
}
