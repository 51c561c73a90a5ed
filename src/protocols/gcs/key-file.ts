import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { ACCOUNT_DOMAIN, TOKEN_PATH } from './layout.ts';

/** Bits of a key that is made, as Google makes its own. */
const MODULUS_BITS = 2_048;
/** A public key of 4096 bits has 550 bytes. */
const PUBLIC_BYTES_MAX = 1_024;
const MAC_BYTES = 32;

/** What must be known to make a key file. */
export interface KeyFileTarget {
  /** Where the server is, without a slash at its end. */
  readonly url: string;
  readonly credential: { readonly id: string; readonly secret: string };
}

/**
 * Makes a service account's key file as Google's clients read it. The server keeps nothing of it: the key's ID is the public key, with a
 * code over it by the credential's secret. So the file is good for as long as that credential is.
 */
export function makeKeyFile({ url, credential: { id, secret } }: KeyFileTarget): string {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: MODULUS_BITS });
  const bytes = publicKey.export({ type: 'spki', format: 'der' });
  const file = {
    type: 'service_account',
    project_id: 'statehouse',
    private_key_id: Buffer.concat([codeOf(secret, bytes), bytes]).toString('base64url'),
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: `${id}${ACCOUNT_DOMAIN}`,
    client_id: id,
    token_uri: `${url}${TOKEN_PATH}`,
  };
  return JSON.stringify(file, null, 2);
}

/** The public key that a key's ID names, if whoever has the credential's secret made it; null otherwise. */
export function keyOf(keyId: string, secret: string): KeyObject | null {
  const all = Buffer.from(keyId, 'base64url');
  const [code, bytes] = [all.subarray(0, MAC_BYTES), all.subarray(MAC_BYTES)];
  if (code.length < MAC_BYTES || bytes.length === 0 || bytes.length > PUBLIC_BYTES_MAX) return null;
  if (!timingSafeEqual(code, codeOf(secret, bytes))) return null;
  try {
    return createPublicKey({ key: bytes, type: 'spki', format: 'der' });
  } catch {
    return null;
  }
}

function codeOf(secret: string, bytes: Uint8Array): Buffer {
  return createHmac('sha256', secret).update('key file of a service account\n').update(bytes).digest();
}
