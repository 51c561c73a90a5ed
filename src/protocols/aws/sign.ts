import { canonicalRequest, sha256Hex } from './canonical.ts';
import { ALGORITHM, timestampOf } from './signature.ts';
import { hmac, scopeText, SigningKeys } from './verify.ts';

/** What a request to AWS is signed with. */
export interface AwsCredential {
  readonly accessKeyId: string;
  readonly secret: string;
  /** Of a session; null where the key is no session's. */
  readonly token: string | null;
}

/** A request that is to be signed. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, in hex. */
  readonly payloadHash: string;
}

const keys = new SigningKeys();

/**
 * The headers of a request with its signature of version 4 among them, for S3: the body's hash is a header there.
 * Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header".
 * @param at milliseconds since 1970
 */
export function signedHeaders(
  { method, url, headers, payloadHash }: UnsignedRequest,
  { accessKeyId, secret, token }: AwsCredential,
  region: string,
  at: number,
): Readonly<Record<string, string>> {
  const date = timestampOf(at);
  const all: Record<string, string> = {
    ...headers,
    host: url.host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': date,
    ...(token === null ? {} : { 'x-amz-security-token': token }),
  };
  const names = Object.keys(all)
    .map((name) => name.toLowerCase())
    .filter((name) => name === 'host' || name.startsWith('x-amz-'))
    .sort();
  const scope = { date: date.slice(0, 8), region, service: 's3' };
  const request = {
    method,
    path: url.pathname,
    query: url.search.slice(1),
    rawHeaders: Object.entries(all).flat(),
  };
  const canonical = canonicalRequest(request, scope.service, names, payloadHash);
  const text = [ALGORITHM, date, scopeText(scope), sha256Hex(canonical)].join('\n');
  const signature = Buffer.from(hmac(keys.derive(secret, scope), text)).toString('hex');
  const credential = `${accessKeyId}/${scopeText(scope)}`;
  return {
    ...all,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}
