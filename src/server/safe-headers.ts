import type { IncomingMessage } from 'node:http';
import type { DoorReply } from '../protocols/door.ts';

/** For answers that are no page of our own: whatever a browser takes them for, nothing in them runs, loads or is framed. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'; sandbox";
/** Asks for a credential in a way that makes no browser show a dialog and remember what was typed. */
const NOT_FROM_A_DIALOG = 'Bearer realm="Statehouse"';

/**
 * What every answer says to browsers, whichever door it comes from: no door can leave it out, and only a page of our own
 * ({@link DoorReply.page}) can say otherwise. States have text in them that others wrote, and a browser that knows a credential
 * of the server sends it with whatever a page from here asks for.
 */
export function withSafeHeaders(
  request: Pick<IncomingMessage, 'headers'>,
  { headers, page }: Pick<DoorReply, 'headers' | 'page'>,
): Record<string, string> {
  return {
    'cache-control': 'no-store',
    ...headers,
    'content-security-policy': page ?? NO_PAGE,
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...('www-authenticate' in headers && isBrowser(request) ? { 'www-authenticate': NOT_FROM_A_DIALOG } : {}),
  };
}

/** Browsers say where a request comes from, and no other client does. */
function isBrowser({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['sec-fetch-site'] !== undefined;
}
