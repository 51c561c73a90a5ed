import type { Entropy } from '../../ports/entropy.ts';

const ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SECRET_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_RANDOM = 16;
const SECRET_LENGTH = 40;

/** An id that fits an AWS access key id, and that nobody has had. @param kind two letters for what it names */
export function newId(kind: string, entropy: Entropy): string {
  return kind + pick(entropy, ID_ALPHABET, ID_RANDOM);
}

/** A secret of 40 letters and digits. */
export function newSecret(entropy: Entropy): string {
  return pick(entropy, SECRET_ALPHABET, SECRET_LENGTH);
}

/** Letters drawn without bias: bytes beyond the last whole multiple of the alphabet are drawn again. */
function pick(entropy: Entropy, alphabet: string, length: number): string {
  const bound = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of entropy.bytes(length)) {
      if (byte < bound && text.length < length) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}
