import { createHash } from 'node:crypto';
import type { Entropy } from '../ports/entropy.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const LENGTH = 16;

/** An id as HCP has them: `run-CZcmD7eagjhyX0vN`. Clients look at what it begins with. */
export function newResourceId(
  kind: 'run' | 'cv' | 'apool' | 'at' | 'agent' | 'rt' | 'nc',
  entropy: Entropy,
): string {
  let text = '';
  while (text.length < LENGTH)
    for (const byte of entropy.bytes(LENGTH)) {
      // Bytes beyond the last whole multiple of the alphabet are drawn again, so that none is likelier.
      const bound = 256 - (256 % ALPHABET.length);
      if (byte < bound && text.length < LENGTH) text += ALPHABET[byte % ALPHABET.length];
    }
  return `${kind}-${text}`;
}

/** An id that is always the same for a text, and another for any other text. */
export function resourceIdOf(kind: 'run', text: string): string {
  const digest = createHash('sha256').update(text).digest();
  const characters = Array.from({ length: LENGTH }, (_, at) => ALPHABET[(digest[at] ?? 0) % ALPHABET.length]);
  return `${kind}-${characters.join('')}`;
}
