import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Instant } from '../../core/instant.ts';
import { canonicalRequest, headerValues, sha256Hex, type SignedRequest } from './canonical.ts';
import { ALGORITHM, instantOf, type Scope, type Signature, type SignatureProblem } from './signature.ts';

/** How far a client's clock may be off, as at AWS. */
export const CLOCK_SKEW_MAX_MS: number = 15 * 60 * 1_000;
/** Signing keys kept: one per secret, day, region and service. */
const SIGNING_KEYS_MAX = 1_000;

/** A request whose signature was right: what the signatures of its chunks continue from. */
export interface Verified {
  readonly signature: Signature;
  readonly signingKey: Uint8Array;
}

/** Derives signing keys and keeps them, because each costs four HMACs and serves a whole day. */
export class SigningKeys {
  readonly #keys = new Map<string, Uint8Array>();

  derive(secret: string, { date, region, service }: Scope): Uint8Array {
    const name = JSON.stringify([sha256Hex(Buffer.from(secret)), date, region, service]);
    const kept = this.#keys.get(name);
    if (kept !== undefined) return kept;
    let key: Uint8Array = Buffer.from(`AWS4${secret}`);
    for (const part of [date, region, service, 'aws4_request']) key = hmac(key, part);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size >= SIGNING_KEYS_MAX && oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.set(name, key);
    return key;
  }
}

/**
 * Whether the owner of the secret signed this very request, and lately enough.
 * @param payloadHash what the request says of its body (S3), or the hash of the body (other services)
 */
export function verifySignature(
  request: SignedRequest,
  signature: Signature,
  {
    secret,
    payloadHash,
    now,
    keys,
  }: { secret: string; payloadHash: string; now: Instant; keys: SigningKeys },
): Verified | SignatureProblem {
  const problem = problemBeforeBody(request, signature, now);
  if (problem !== null) return problem;
  const signingKey = keys.derive(secret, signature.scope);
  const canonical = canonicalRequest(request, signature.scope.service, signature.signedHeaders, payloadHash);
  const expected = hmac(
    signingKey,
    [ALGORITHM, signature.date, scopeText(signature.scope), sha256Hex(canonical)].join('\n'),
  );
  return isSame(expected, signature.signature) ? { signature, signingKey } : { problem: 'mismatch' };
}

/** What is wrong with a signature whatever the body is: its date, and which headers it covers. */
export function problemBeforeBody(
  request: SignedRequest,
  signature: Signature,
  now: Instant,
): SignatureProblem | null {
  const late = lateness(signature, now);
  if (late !== null) return late;
  const names = unsignedHeaders(request, signature);
  return names.length > 0 ? { problem: 'unsigned-headers', names } : null;
}

export function scopeText({ date, region, service }: Scope): string {
  return `${date}/${region}/${service}/aws4_request`;
}

export function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}

/** Compares in a time that tells nothing. */
export function isSame(expected: Uint8Array, hex: string): boolean {
  const given = Buffer.from(hex, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function lateness({ date, expires }: Signature, now: Instant): SignatureProblem | null {
  const signedAt = instantOf(date) ?? 0;
  if (signedAt - now > CLOCK_SKEW_MAX_MS) return { problem: 'skewed', date };
  if (expires !== null) return now >= signedAt + expires * 1_000 ? { problem: 'expired' } : null;
  return now - signedAt > CLOCK_SKEW_MAX_MS ? { problem: 'skewed', date } : null;
}

/** `Host` and every `X-Amz-…` header must be covered, or a stranger could change what the request means. */
function unsignedHeaders(request: SignedRequest, { signedHeaders }: Signature): readonly string[] {
  const signed = new Set(signedHeaders);
  return ['host', ...headerValues(request.rawHeaders).keys()]
    .filter((name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.has(name))
    .filter((name, index, names) => names.indexOf(name) === index);
}
