import { randomBytes } from 'node:crypto';
import { ROW_KEY_CONTEXT, type OpenRowKey } from '../ports/row-key.ts';
import type { Sealer } from '../ports/sealer.ts';

const KEY_BYTES = 32;

/**
 * Opens the key of the rows with the master key, or makes one where there is none.
 * @param adopts whether rows that nobody has authenticated are taken as they are
 * @throws {SealError} when the master key does not open it
 */
export function rowKeyUnder(
  sealer: Sealer,
  sealed: Uint8Array | null,
  adopts: boolean,
): ReturnType<OpenRowKey> {
  if (sealed !== null) return { bytes: sealer.open(sealed, ROW_KEY_CONTEXT), sealed, adopts };
  const bytes = randomBytes(KEY_BYTES);
  return { bytes, sealed: sealer.seal(bytes, ROW_KEY_CONTEXT), adopts };
}
