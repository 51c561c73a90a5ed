import { timingSafeEqual } from 'node:crypto';
import type { DoorRequest } from '../../door.ts';
import { queryPairs } from '../../wire/uri.ts';
import { SIGNED_HEADERS } from '../layout.ts';
import { signatureOf } from '../sas-text.ts';

/** The schemes by which a request is signed with an account's key. */
export type KeyScheme = 'SharedKey' | 'SharedKeyLite';

/** A signature as it stands in `Authorization`. */
export interface KeySignature {
  readonly scheme: KeyScheme;
  /** As it is signed. */
  readonly account: string;
  /** In base64. */
  readonly signature: string;
}

/** The part that SharedKeyLite signs. */
const LITE_HEADERS = ['content-md5', 'content-type', 'date'] as const;

/**
 * Reads `SharedKey ACCOUNT:SIGNATURE`; null for another scheme. Python's library takes the whole path of the endpoint that it is given for
 * the account.
 */
export function readKeySignature(header: string | undefined): KeySignature | null {
  const match = /^(SharedKey|SharedKeyLite) ([0-9A-Za-z/]{3,128}):([A-Za-z0-9+/=]{44})$/.exec(header ?? '');
  const [, scheme, account = '', signature = ''] = match ?? [];
  if (scheme !== 'SharedKey' && scheme !== 'SharedKeyLite') return null;
  return { scheme, account, signature };
}

/** Whether the owner of the key signed this very request. @param secret the account's key, in base64 */
export function isSignedWith(
  secret: string,
  request: Pick<DoorRequest, 'method' | 'path' | 'query' | 'rawHeaders' | 'header'>,
  { scheme, account, signature }: KeySignature,
): boolean {
  return isSignatureOf(secret, stringToSign(request, account, scheme), signature);
}

/** Compares in a time that tells nothing. @param secret in base64 */
export function isSignatureOf(secret: string, text: string, signature: string): boolean {
  const expected = signatureOf(secret, text);
  const given = Buffer.from(signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What is signed of a request (Azure, "Authorize with Shared Key", of version 2015-02-21 and later). */
function stringToSign(
  {
    method,
    path,
    query,
    rawHeaders,
    header,
  }: Pick<DoorRequest, 'method' | 'path' | 'query' | 'rawHeaders' | 'header'>,
  account: string,
  scheme: KeyScheme,
): string {
  const isLite = scheme === 'SharedKeyLite';
  const hasOwnDate = header('x-ms-date') !== undefined;
  const values = (isLite ? LITE_HEADERS : SIGNED_HEADERS).map((name) => {
    const value = (name === 'date' && hasOwnDate ? '' : header(name)) ?? '';
    return name === 'content-length' && value === '0' ? '' : value;
  });
  const resource = isLite ? liteResource(account, path, query) : canonicalResource(account, path, query);
  return [method, ...values, ...canonicalHeaders(rawHeaders), resource].join('\n');
}

/** Each `x-ms-` header as `name:value`, in the order of their names. */
function canonicalHeaders(rawHeaders: readonly string[]): readonly string[] {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    if (!name.startsWith('x-ms-')) continue;
    const value = (rawHeaders[index + 1] ?? '').trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return [...headers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value}`);
}

/** The account and the path as it was sent, then each parameter of the query, whose names are in lower case and in order. */
function canonicalResource(account: string, path: string, query: string): string {
  const parameters = new Map<string, string[]>();
  for (const [name, value] of queryPairs(query)) {
    const lower = utf8(name).toLowerCase();
    parameters.set(lower, [...(parameters.get(lower) ?? []), utf8(value)]);
  }
  const lines = [...parameters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, values]) => `\n${name}:${values.sort().join(',')}`);
  return `/${account}${path}${lines.join('')}`;
}

function liteResource(account: string, path: string, query: string): string {
  const comp = queryPairs(query).find(([name]) => name === 'comp')?.[1];
  return `/${account}${path}${comp === undefined ? '' : `?comp=${comp}`}`;
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
