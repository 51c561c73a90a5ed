import { createHash } from 'node:crypto';

/** AES-256 takes keys of 32 bytes. */
export const MASTER_KEY_BYTES = 32;

/** A master key and the short name that is written beside whatever it seals. */
export interface MasterKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** The first one seals; the others only open what they once sealed. */
export type MasterKeys = readonly [MasterKey, ...MasterKey[]];

/** A master key's text is unreadable: what is wrong with it, and never what it says. */
export class KeyTextError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyTextError';
  }
}

/** The first eight hex digits of the key's SHA-256: enough to tell keys apart, and nothing about the key. */
export function makeMasterKey(bytes: Uint8Array): MasterKey {
  const id = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
  return { id, bytes: Buffer.from(bytes) };
}

/**
 * Reads master keys: base64 of 32 bytes each, parted by commas or white space. The first one seals, the others only open.
 * @throws {KeyTextError} when there is none, or one that is not 32 bytes
 */
export function parseMasterKeys(text: string): MasterKeys {
  const keys = text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word, index) => {
      const bytes = Buffer.from(word, 'base64');
      if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(word) || bytes.length !== MASTER_KEY_BYTES) {
        throw new KeyTextError(
          `master key ${index + 1} is not valid: expected base64 of ${MASTER_KEY_BYTES} bytes`,
        );
      }
      return makeMasterKey(bytes);
    });
  const [first, ...others] = keys;
  if (first === undefined) throw new KeyTextError('there is no master key in the text');
  return [first, ...others];
}

/** The text that {@link parseMasterKeys} reads, one key a line. */
export function formatMasterKeys(keys: readonly MasterKey[]): string {
  return keys.map(({ bytes }) => `${bytes.toString('base64')}\n`).join('');
}
