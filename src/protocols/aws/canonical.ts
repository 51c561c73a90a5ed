import { createHash } from 'node:crypto';
import { decodeUri, encodeUri, queryPairs } from '../wire/uri.ts';

/** The parts of a request that a signature covers, as the wire had them. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Names and values in turns. */
  readonly rawHeaders: readonly string[];
}

/** The query parameter that carries a presigned request's signature, and so cannot be covered by it. */
export const SIGNATURE_PARAMETER = 'X-Amz-Signature';

/**
 * The canonical request of Signature Version 4.
 * Source: AWS IAM User Guide, "Create a signed AWS API request", step 1.
 */
export function canonicalRequest(
  request: SignedRequest,
  service: string,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const values = headerValues(request.rawHeaders);
  return [
    request.method,
    canonicalPath(request.path, service),
    canonicalQuery(request.query),
    ...signedHeaders.map((name) => `${name}:${(values.get(name) ?? []).join(',')}`),
    '',
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

/** Lower-case hex, of bytes or of a text with one character a byte. */
export function sha256Hex(data: string | Uint8Array): string {
  const hash = createHash('sha256');
  return (typeof data === 'string' ? hash.update(data, 'latin1') : hash.update(data)).digest('hex');
}

/** Names (lower-case) and canonical values of all headers, repeated ones in order. */
export function headerValues(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = (rawHeaders[index + 1] as string).trim().replace(/ {2,}/g, ' ');
    const before = values.get(name);
    if (before === undefined) values.set(name, [value]);
    else before.push(value);
  }
  return values;
}

/** S3 signs the path encoded once and as it is; every other service normalises it and encodes it once more. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3') {
    const segments = path.split('/').map((segment) => encodeUri(decodeUri(segment), false));
    return segments.join('/');
  }
  return encodeUri(normalise(path), true);
}

function normalise(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const slash = kept.length > 0 && /\/\.{0,2}$/.test(path) ? '/' : '';
  return `/${kept.join('/')}${slash}`;
}

function canonicalQuery(query: string): string {
  return queryPairs(query)
    .filter(([name]) => name !== SIGNATURE_PARAMETER)
    .map(([name, value]) => [encodeUri(name, false), encodeUri(value, false)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
