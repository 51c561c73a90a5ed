import { SIGNED_HEADERS } from '../layout.ts';
import { signatureOf } from '../sas-text.ts';

/** What of a request is signed. */
export interface Signed {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

/** The `Authorization` header by which an account's key proves a request (`SharedKey`, for versions from 2015-02-21). */
export function sharedKey(account: string, key: string, request: Signed): string {
  const text = stringToSign(account, request);
  const signature = signatureOf(key, text).toString('base64');
  return `SharedKey ${account}:${signature}`;
}

function stringToSign(account: string, { method, url, headers, bytes }: Signed): string {
  const known = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  known.set('content-length', bytes === 0 ? '' : String(bytes));
  const own = [...known]
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`);
  const query = [...url.searchParams]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `\n${name}:${value}`);
  const standard = SIGNED_HEADERS.map((name) => `${known.get(name) ?? ''}\n`);
  return `${method}\n${standard.join('')}${own.join('')}/${account}${url.pathname}${query.join('')}`;
}
