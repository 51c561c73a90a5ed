import { realpath, stat, writeFile } from 'node:fs/promises';
import { replaceFile } from '../../protocols/local/client/journal.ts';

/**
 * Writes a state into a file that only its owner may read, although others may read the file that is there now. A pipe or
 * a device is written into.
 */
export async function writeSecret(path: string, bytes: Uint8Array): Promise<void> {
  const there = await stat(path).catch(() => null);
  if (there !== null && !there.isFile()) await writeFile(path, bytes);
  // A link stays one: the file that it names is replaced.
  else await replaceFile(there === null ? path : await realpath(path), bytes, 0o600);
}
