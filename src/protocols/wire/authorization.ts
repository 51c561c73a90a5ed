import { splitUser } from '../../core/lent-lock.ts';
import type { DoorRequest } from '../door.ts';
import type { Presented } from '../../house/identity/presented.ts';

/** What a request shows: its `Authorization` or, without one, the certificate of its connection; null for neither. */
export function presentedBy(request: Pick<DoorRequest, 'header' | 'certificateNames'>): Presented | null {
  const header = request.header('authorization');
  if (header !== undefined) return readAuthorization(header);
  const names = request.certificateNames;
  return names.length === 0 ? null : { kind: 'certificate', names };
}

/** Reads an `Authorization` header of RFC 7617 (Basic) or RFC 6750 (Bearer); null for no header, or one of another scheme. */
export function readAuthorization(header: string | undefined): Presented | null {
  if (header === undefined) return null;
  const space = header.indexOf(' ');
  const scheme = header.slice(0, space).toLowerCase();
  const rest = header.slice(space + 1).trim();
  if (scheme === 'bearer') return { kind: 'bearer', token: rest };
  if (scheme !== 'basic') return null;
  const { user, password } = readBasic(rest);
  return { kind: 'basic', user: splitUser(user).id, password };
}

/** The lock that the user name of an `Authorization` header carries. */
export function userLock(header: string | undefined): string | null {
  const [, pair] = /^basic +(\S+)\s*$/i.exec(header ?? '') ?? [];
  return pair === undefined ? null : splitUser(readBasic(pair).user).lockId;
}

function readBasic(base64: string): { readonly user: string; readonly password: string } {
  const pair = Buffer.from(base64, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  return { user: pair.slice(0, Math.max(colon, 0)), password: pair.slice(colon + 1) };
}
