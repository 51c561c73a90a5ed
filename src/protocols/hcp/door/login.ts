import type { Identity } from '../../../core/grant.ts';
import type { House } from '../../../house/house.ts';
import type { LoginAsk } from '../../../house/workspaces/login-codes.ts';
import { callerOf, sourceOf } from '../../caller.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { methodReply } from '../../wire/problem.ts';
import { readBody } from '../../wire/read-body.ts';
import { readQuery } from '../../wire/uri.ts';
import { LOGIN_CLIENT, LOGIN_PORTS } from '../layout.ts';
import { html, pageReply, type Markup } from './pages.ts';

/** A credential and the hidden rest of a form. */
const FORM_BYTES_MAX: number = 16 * 1024;
const STATE_LENGTH_MAX = 1_024;
/** RFC 7636, section 4.1 and 4.2. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const VERIFIER = /^[A-Za-z0-9._~-]{16,256}$/;
const OPERATION = 'login';

/** What a login needs besides the request. */
interface LoginParts {
  readonly house: House;
  readonly door: { readonly name: string };
}

interface Asked extends LoginAsk {
  readonly state: string;
}

/**
 * The sign-in page: a person gives a credential, and the program on the same machine that has opened the page is sent a code for
 * it. Nothing but a program on the person's own machine can be sent one.
 */
export async function authorize(parts: LoginParts, request: DoorRequest): Promise<DoorReply> {
  const asked = readAsked(request.query);
  if ('problem' in asked) {
    return pageReply(OPERATION, {
      status: 400,
      title: 'Sign in',
      body: html`<p class="problem">This address is not valid: ${asked.problem}.</p>
        <p>Run <code>terraform login</code> again.</p>`,
    });
  }
  if (request.method === 'GET' || request.method === 'HEAD') return signInPage(asked, null);
  if (request.method !== 'POST') return methodReply(['GET', 'POST']);
  const form = await readForm(request);
  const token = (form?.get('credential') ?? '').trim();
  const identity = await identityOf(parts, request, token);
  if (identity === null) {
    const page = signInPage(asked, 'The credential is missing or invalid.');
    return { ...page, status: 401, stranger: true };
  }
  const { subject } = identity;
  if (request.admit(subject) !== null)
    return signInPage(asked, 'Too many requests: try again in a moment.', 429);
  const { house, door } = parts;
  const code = await house.workspaces.logins.issue(callerOf(identity, door, request), token, asked);
  if (code === null)
    return signInPage(asked, 'Too many people sign in at once: try again in some minutes.', 429);
  const location = new URL(asked.redirectUri);
  location.searchParams.set('code', code);
  location.searchParams.set('state', asked.state);
  return {
    operation: OPERATION,
    status: 302,
    headers: { location: location.href, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
    body: null,
  };
}

/** Gives the program what its code stands for, once, if it proves that it is the one that asked. */
export async function exchangeCode({ house }: LoginParts, request: DoorRequest): Promise<DoorReply> {
  if (request.method !== 'POST') return methodReply(['POST']);
  const form = await readForm(request);
  if (form?.get('grant_type') !== 'authorization_code') return tokenError('unsupported_grant_type');
  const [code = '', verifier = ''] = [form.get('code'), form.get('code_verifier')];
  if (code === '' || !VERIFIER.test(verifier)) return tokenError('invalid_request');
  const client = form.get('client_id') ?? '';
  const redirectUri = form.get('redirect_uri') ?? '';
  const token = await house.workspaces.logins.redeem(code, verifier, { client, redirectUri });
  return token === null
    ? tokenError('invalid_grant')
    : tokenReply(200, { access_token: token, token_type: 'bearer' });
}

/** Whose credential it is; null for one that is good for nothing. */
async function identityOf(
  { house, door }: LoginParts,
  request: DoorRequest,
  token: string,
): Promise<Identity | null> {
  const presented = token === '' ? null : ({ kind: 'bearer', token } as const);
  const identity = await house.identity.authenticate(presented, sourceOf(door, request));
  return identity === null || house.gate.known(identity) !== null ? null : identity;
}

/** What the query asks for, as RFC 6749 says it in section 4.1.1. */
function readAsked(query: string): Asked | { readonly problem: string } {
  const parameters = readQuery(query) ?? new Map<string, string>();
  const text = (name: string): string => parameters.get(name) ?? '';
  const client = text('client_id');
  const redirectUri = text('redirect_uri');
  const challenge = text('code_challenge');
  const state = text('state');
  if (text('response_type') !== 'code') return { problem: 'expected response_type=code' };
  if (client !== LOGIN_CLIENT) return { problem: `expected client_id=${LOGIN_CLIENT}` };
  if (!isOwnMachine(redirectUri)) {
    const [from, to] = LOGIN_PORTS;
    return { problem: `expected a redirect_uri to localhost, on a port from ${from} to ${to - 1}` };
  }
  if (text('code_challenge_method') !== 'S256' || !CHALLENGE.test(challenge))
    return { problem: 'expected a code_challenge by S256' };
  if (state.length > STATE_LENGTH_MAX) return { problem: 'the state is too long' };
  return { client, redirectUri, challenge, state };
}

/** Whether an address is that of a program on the machine where the browser is. */
function isOwnMachine(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, port, pathname, search, hash, username } = new URL(address);
  const [from, to] = LOGIN_PORTS;
  const isPlain = search === '' && hash === '' && username === '' && pathname === '/login';
  const isHost = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol === 'http:' && isHost && isPlain && Number(port) >= from && Number(port) < to;
}

function signInPage({ redirectUri }: Asked, problem: string | null, status = 200): DoorReply {
  const { host } = new URL(redirectUri);
  const said: Markup = problem === null ? html`` : html`<p class="problem">${problem}</p>`;
  return pageReply(OPERATION, {
    status,
    title: 'Sign in',
    body: html`<p>
        A program on your machine, which listens at <code>${host}</code>, asks for a credential of this
        server. Go on only if you have just run <code>terraform login</code> or <code>tofu login</code>.
      </p>
      ${said}
      <form method="post">
        <label for="credential">Credential, as ID.SECRET</label>
        <input id="credential" name="credential" type="password" autocomplete="off" autofocus required />
        <button type="submit">Give it to the program</button>
      </form>`,
    // Browsers ask this of the redirect, too, that the form is answered with.
    formAction: `'self' http://${host}`,
  });
}

async function readForm(request: DoorRequest): Promise<ReadonlyMap<string, string> | null> {
  const bytes = await readBody(request, FORM_BYTES_MAX);
  return bytes === null ? null : readQuery(bytes.toString('latin1'));
}

function tokenError(error: string): DoorReply {
  return tokenReply(400, { error });
}

function tokenReply(status: number, value: object): DoorReply {
  return {
    operation: OPERATION,
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' },
    body: Buffer.from(JSON.stringify(value)),
  };
}
