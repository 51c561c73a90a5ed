import type { Problem } from '../core/read-value.ts';

/** How the server knows its own address. */
export interface Reach {
  /** As `--public-url` says; null where whoever asks is taken at its word. */
  readonly publicUrl: string | null;
  /** The name under which it is reached, so that names before it are buckets; or null. */
  readonly domain: string | null;
}

/** What a host can look like that is written into a text: a name or an address, and a port. */
const HOST = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])(?::\d{1,5})?$/i;
const HOST_LENGTH_MAX = 255;
/** The host of an account of Azure (`protocols/azurerm/door/detect.ts`), whatever its domain. */
const ACCOUNT_HOST = /^[a-z\d]{3,24}\.blob\./i;

/**
 * Where people find the server: scheme, host and port, without a slash at the end.
 * @param isSecure whether the client's own connection is encrypted
 * @returns null where nobody says it, or says what is no host
 */
export function originOf(
  header: (name: string) => string | undefined,
  isSecure: boolean,
  { publicUrl, domain }: Reach,
): string | null {
  if (publicUrl !== null) return publicUrl;
  const [first = ''] = (header('x-forwarded-host') ?? header('host') ?? '').split(',');
  const host = first.trim();
  if (host.length > HOST_LENGTH_MAX || !HOST.test(host)) return null;
  return `${isSecure ? 'https' : 'http'}://${ofServer(host, domain)}`;
}

/** The server's own host, where one before it was asked: of a bucket, or of an account. */
function ofServer(host: string, domain: string | null): string {
  const [, port = ''] = /(:\d+)$/.exec(host) ?? [];
  if (domain !== null && host.toLowerCase().endsWith(`.${domain.toLowerCase()}${port}`))
    return `${domain}${port}`;
  return host.replace(ACCOUNT_HOST, '');
}

/** Reads the address that people reach the server at: the page is at its root, so it has no path. */
export function readPublicUrl(text: string | undefined): string | null | Problem {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWhole =
    url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isWhole && url.pathname === '/' && url.search === '' && url.hash === '') return url.origin;
  return { problem: `invalid address "${text}": expected https://HOST or http://HOST:PORT, without a path` };
}
