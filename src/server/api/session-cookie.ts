import { API_PREFIX, OPERATIONS } from '../../api/operations.ts';
import type { PageSessionToken } from '../../house/identity/page-sessions.ts';
import type { Presented } from '../../house/identity/presented.ts';
import type { DoorReply, DoorRequest } from '../../protocols/door.ts';
import { presentedBy } from '../../protocols/wire/authorization.ts';
import { problemReply } from '../../protocols/wire/problem.ts';

/** Without TLS. The prefix of the other has browsers keep it to this very host and to TLS (RFC 6265bis, section 4.1.3). */
const PLAIN = 'statehouse-session';
const SECURE = '__Host-statehouse-session';

/** What a request to the API shows to say who sent it: its `Authorization`, else the cookie of the page, else a certificate. */
export function presentedToApi(
  request: Pick<DoorRequest, 'header' | 'certificateNames' | 'clientSecure'>,
): Presented | null {
  const token = sessionToken(request);
  return token === null ? presentedBy(request) : { kind: 'page-session', token };
}

/** The token that a request comes with, where it goes by that; null for others. */
function sessionToken(request: Pick<DoorRequest, 'header' | 'clientSecure'>): string | null {
  if (request.header('authorization') !== undefined) return null;
  const wanted = nameFor(request);
  for (const pair of (request.header('cookie') ?? '').split(';')) {
    const equals = pair.indexOf('=');
    if (pair.slice(0, equals).trim() === wanted) return pair.slice(equals + 1).trim();
  }
  return null;
}

/** The value of `Set-Cookie` that has a browser come with a token for as long as its session may last. */
export function cookieOf(
  request: Pick<DoorRequest, 'clientSecure'>,
  { token, lasts }: PageSessionToken,
): string {
  return cookie(request, token, Math.max(1, Math.floor(lasts / 1_000)));
}

/** The value of `Set-Cookie` that has a browser forget its token. */
export function noCookie(request: Pick<DoorRequest, 'clientSecure'>): string {
  return cookie(request, '', 0);
}

/**
 * Why a request that goes by a cookie is not taken: browsers send it with what other pages of the same machine ask for, too. A
 * browser says where a request comes from; one that would change something and does not say it is no page of ours.
 */
export function cookieProblem(request: DoorRequest): DoorReply | null {
  if (sessionToken(request) === null) return null;
  const site = request.header('sec-fetch-site');
  const looks = request.method === 'GET' || request.method === 'HEAD';
  // The origin was compared with the host before (dispatch.ts).
  const isOwn = site === undefined ? looks || request.header('origin') !== undefined : site === 'same-origin';
  if (isOwn || (looks && site === 'none')) return null;
  return problemReply('unknown', 'cross-site', {
    status: 403,
    message: 'a session is for the page of this server alone: send a credential in "Authorization" instead',
  });
}

/** Whether a request is one to sign in, whose credential is in its body. */
export function signsIn({ method, path }: Pick<DoorRequest, 'method' | 'path'>): boolean {
  const route = OPERATIONS['create-session'];
  return method === route.method && path === `${API_PREFIX}${route.path}`;
}

function cookie(request: Pick<DoorRequest, 'clientSecure'>, value: string, seconds: number): string {
  const secure = request.clientSecure ? '; Secure' : '';
  return `${nameFor(request)}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

function nameFor({ clientSecure }: Pick<DoorRequest, 'clientSecure'>): string {
  return clientSecure ? SECURE : PLAIN;
}
