import { createVerify } from 'node:crypto';
import { z } from 'zod';
import type { Milliseconds } from '../../../core/instant.ts';
import { nameOfSubject } from '../../../core/subject.ts';
import type { House } from '../../../house/house.ts';
import { sessionText } from '../../../house/identity/session-authenticator.ts';
import { callerOf, sourceOf } from '../../caller.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { jsonReply } from '../../wire/json-reply.ts';
import { parseJson } from '../../wire/json-value.ts';
import { readBody } from '../../wire/read-body.ts';
import { keyOf } from '../key-file.ts';
import { ACCOUNT_DOMAIN, TOKEN_PATH } from '../layout.ts';

const OPERATION = 'token';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const FORM_BYTES_MAX: number = 16 * 1024;
/** How long an access token lasts, and a signed request for one may (Google, "Using OAuth 2.0 for Server to Server Applications"). */
const TOKEN_LIFE: Milliseconds = 3_600_000;
/** What Google's library for Python says whatever the key file does (google-auth, `_GOOGLE_OAUTH2_TOKEN_ENDPOINT`). */
const GOOGLE_AUDIENCE = 'https://oauth2.googleapis.com/token';
/** How far the clocks may be apart. */
const CLOCK_SKEW: Milliseconds = 300_000;

const HEADER = z.object({ alg: z.literal('RS256'), kid: z.string().max(2_048) });
const CLAIMS = z.object({ iss: z.string(), aud: z.string(), iat: z.number(), exp: z.number() });

/** What a client signed with the private key of its key file. */
interface Assertion {
  readonly credential: string;
  readonly keyId: string;
  readonly text: string;
  readonly signature: Buffer;
  readonly claims: z.infer<typeof CLAIMS>;
}

/**
 * Answers at a key file's `token_uri`: gives an access token for what was signed with the private key (RFC 7523). The token is a session of the
 * credential that the file was made of, and has its rights.
 */
export async function exchangeKey(
  house: House,
  door: { readonly name: string },
  request: DoorRequest,
): Promise<DoorReply> {
  if (request.method !== 'POST') return failed(405, 'invalid_request', 'expected POST');
  const bytes = await readBody(request, FORM_BYTES_MAX);
  const form = new URLSearchParams(bytes?.toString('utf8') ?? '');
  if (form.get('grant_type') !== GRANT_TYPE)
    return failed(400, 'unsupported_grant_type', `expected grant_type=${GRANT_TYPE}, as a key file is used`);
  const assertion = readAssertion(form.get('assertion') ?? '');
  if (assertion === null)
    return failed(
      400,
      'invalid_request',
      'the assertion is not a JWT with alg RS256, kid, iss, aud, iat and exp',
    );
  const { credential, claims } = assertion;
  const verify = (secret: string): boolean => isSigned(assertion, secret);
  const presented = { kind: 'signed', keyId: credential, token: null, verify } as const;
  const identity = await house.identity.authenticate(presented, sourceOf(door, request));
  if (identity === null) {
    const message =
      'the key is not one of a valid credential: it may be revoked. "statehouse config gcs --key-file" makes a key file';
    return { ...failed(401, 'invalid_grant', message), stranger: true };
  }
  const wait = request.admit(identity.subject);
  if (wait !== null)
    return failed(429, 'temporarily_unavailable', `too many requests: try again in ${wait} s`);
  const problem = problemOf(claims, await house.now());
  if (problem !== null) return failed(400, 'invalid_grant', problem);
  const caller = callerOf(identity, door, request);
  const role = nameOfSubject(identity.subject);
  const wanted = { role, account: '', name: 'key-file', lasts: TOKEN_LIFE, strict: false };
  const answer = await house.sessions.assume(caller, wanted);
  if (answer.type !== 'assumed')
    return failed(401, 'invalid_grant', 'the credential has expired or is revoked');
  const seconds = Math.max(1, Math.floor((answer.expiresAt - (await house.now())) / 1_000));
  return jsonReply(OPERATION, {
    access_token: sessionText(answer),
    expires_in: seconds,
    token_type: 'Bearer',
  });
}

function readAssertion(text: string): Assertion | null {
  const parts = text.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3) return null;
  const head = HEADER.safeParse(parseJson(Buffer.from(header, 'base64url')));
  const claims = CLAIMS.safeParse(parseJson(Buffer.from(payload, 'base64url')));
  if (!head.success || !claims.success || !claims.data.iss.endsWith(ACCOUNT_DOMAIN)) return null;
  return {
    credential: claims.data.iss.slice(0, -ACCOUNT_DOMAIN.length),
    keyId: head.data.kid,
    text: `${header}.${payload}`,
    signature: Buffer.from(signature, 'base64url'),
    claims: claims.data,
  };
}

function isSigned({ keyId, text, signature }: Assertion, secret: string): boolean {
  const key = keyOf(keyId, secret);
  return key !== null && createVerify('RSA-SHA256').update(text).verify(key, signature);
}

/** Why what was signed is not good now; null where it is. */
function problemOf({ aud, iat, exp }: Assertion['claims'], now: number): string | null {
  if (aud !== GOOGLE_AUDIENCE && (!URL.canParse(aud) || new URL(aud).pathname !== TOKEN_PATH))
    return `the assertion is for another audience: expected the token_uri, which ends with ${TOKEN_PATH}`;
  if (exp * 1_000 + CLOCK_SKEW < now) return 'the assertion has expired: check the clock of this machine';
  if (iat * 1_000 - CLOCK_SKEW > now)
    return 'the assertion is of the future: check the clock of this machine';
  if ((exp - iat) * 1_000 > TOKEN_LIFE + CLOCK_SKEW) return 'the assertion lasts longer than an hour';
  return null;
}

function failed(status: number, error: string, message: string): DoorReply {
  return jsonReply(OPERATION, { error, error_description: message }, status);
}
