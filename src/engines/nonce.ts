import { randomBytes } from 'node:crypto';

/** AES-GCM takes nonces of 12 bytes. */
export const NONCE_BYTES = 12;
/** So many are drawn at once: the system takes as long for one as for all of them. */
const DRAWN_NONCES = 256;

let drawn = new Uint8Array();
let used = 0;

/** Random bytes that were never given before. A nonce is stored in the clear, so that the next ones may lie in memory. */
export function newNonce(): Uint8Array {
  if (used === drawn.length) {
    // The former ones may still be in use, so they are left alone.
    drawn = randomBytes(DRAWN_NONCES * NONCE_BYTES);
    used = 0;
  }
  used += NONCE_BYTES;
  return drawn.subarray(used - NONCE_BYTES, used);
}
