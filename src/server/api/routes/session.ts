import { z } from 'zod';
import type { SessionShape } from '../../../api/shapes/session.ts';
import type { Identity } from '../../../core/grant.ts';
import type { House } from '../../../house/house.ts';
import { jsonReply } from '../json-reply.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { cookieOf, noCookie } from '../session-cookie.ts';
import { SESSION, SIGNED_OUT } from '../shapes/session.ts';

/** Signing in at the page: a browser shows a credential once, and a cookie from then on. */
export const SESSION_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'create-session',
    summary: 'Begins a session: the answer sets a cookie that stands for the credential in the body.',
    needs: 'any credential',
    about:
      'The cookie is `HttpOnly` and `SameSite=Strict`, and `Secure` over TLS. It is good for this API alone. A session ends with its credential, when it is ended, when nothing was asked for a while (`--page-idle`), and some hours after it was begun (`--page-session`). A credential has ten sessions at most; an eleventh ends the oldest.',
    query: NO_QUERY,
    body: z.strictObject({ credential: z.string().describe('`id.secret`') }).meta({ id: 'SignIn' }),
    answer: { status: 201, says: 'The session.', schema: SESSION },
    refusals: [403],
    run: async ({ house, caller, request, operation }) => {
      const begun = await house.pageSessions.begin(caller);
      if (begun.type !== 'begun') return refusalReply(operation, null, begun);
      const reply = jsonReply(operation, sessionOf(house, begun.identity), 201);
      return { ...reply, headers: { ...reply.headers, 'set-cookie': cookieOf(request, begun) } };
    },
  }),
  defineRoute({
    operation: 'show-session',
    summary: 'Shows who the caller is, what it may do, and when its session ends.',
    needs: 'any credential',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The caller.', schema: SESSION },
    refusals: [],
    run: async ({ house, caller, operation }) => jsonReply(operation, sessionOf(house, caller.identity)),
  }),
  defineRoute({
    operation: 'end-session',
    summary: 'Ends the session that the request comes in, on every node.',
    needs: 'any credential',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'It is ended, and the cookie is taken back.', schema: SIGNED_OUT },
    refusals: [],
    run: async ({ house, caller, request, operation }) => {
      const answer = await house.pageSessions.end(caller);
      if (answer.type !== 'ended' && answer.type !== 'absent') return refusalReply(operation, null, answer);
      const reply = jsonReply(operation, { ended: answer.type === 'ended' });
      return { ...reply, headers: { ...reply.headers, 'set-cookie': noCookie(request) } };
    },
  }),
];

function sessionOf(house: House, identity: Identity): SessionShape {
  const { subject, grants, credentialId = null, pageSession } = identity;
  const ends = pageSession === undefined ? null : house.pageSessions.ends(pageSession);
  return {
    subject,
    credential: credentialId,
    grants,
    ...house.gate.rights(identity),
    session:
      ends === null
        ? null
        : { since: iso(ends.since), idleUntil: iso(ends.idleUntil), until: iso(ends.until) },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
