import type { DoorReply } from '../../door.ts';
import { explain, type Refusal } from '../../explain.ts';
import { JSON_API_TYPE } from '../layout.ts';

/** An error of JSON:API. Terraform shows title and detail, and nothing else of an answer. */
export interface HcpError {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The word that programs know it by. */
  readonly code?: string;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whoever asked was refused for its credential. */
  readonly stranger?: boolean;
}

export function errorReply(operation: string, error: HcpError): DoorReply {
  const { status, title, detail, code, meta, headers = {}, stranger = false } = error;
  const told = {
    status: String(status),
    title,
    detail,
    ...(code === undefined ? {} : { code }),
    ...(meta === undefined ? {} : { meta }),
  };
  return {
    operation,
    status,
    headers: { 'content-type': JSON_API_TYPE, ...headers },
    body: Buffer.from(JSON.stringify({ errors: [told] })),
    stranger,
  };
}

/** This door's one table from refusal to wire. HCP's clients send again what is answered with 429 or 5xx. */
const REFUSED: Readonly<Record<Refusal['type'], readonly [status: number, title: string]>> = {
  absent: [404, 'not found'],
  exists: [409, 'there is a state'],
  gone: [503, 'cancelled'],
  expired: [401, 'unauthorized'],
  revoked: [401, 'unauthorized'],
  forbidden: [403, 'forbidden'],
  held: [409, 'workspace already locked'],
  'released-before': [409, 'this lock was released before'],
  'not-locked': [409, 'workspace already unlocked'],
  'not-holder': [403, 'the workspace is locked by another'],
  'may-not-break': [403, 'the workspace is locked by another'],
  'too-young': [422, 'the lock is too young to be broken'],
  fenced: [409, 'the lock is no longer held'],
  'shared-hold': [409, 'a plan may not write'],
  stale: [409, 'the state would lose a change'],
  frozen: [423, 'the workspace is frozen'],
  'too-large': [413, 'too large'],
  'not-a-state': [422, 'not a state'],
  damaged: [422, 'the state is damaged'],
  'over-quota': [422, 'the project is at its quota'],
  unannounced: [422, 'the first state is to be announced'],
  busy: [503, 'busy'],
};

export function refused(refusal: Refusal): HcpError {
  const [status, title] = REFUSED[refusal.type];
  const again = refusal.type === 'busy' ? { 'retry-after': String(refusal.retryAfterSeconds) } : null;
  const locks = 'holders' in refusal ? refusal.holders.map(({ lockId }) => lockId) : null;
  return {
    status,
    title,
    detail: explain(refusal),
    code: refusal.type,
    ...(locks === null ? {} : { meta: { locks } }),
    ...(again === null ? {} : { headers: again }),
  };
}

export function notFound(what: string): HcpError {
  return { status: 404, title: 'not found', detail: `${what} is not there`, code: 'absent' };
}

export function invalid(detail: string): HcpError {
  return { status: 422, title: 'invalid attribute', detail };
}

/** There is no room for another one. */
export function full(what: string, limit: number): HcpError {
  return { status: 422, title: `too many ${what}`, detail: `there are ${limit} already: delete some` };
}

/** A path that nothing is at. Terraform takes 404 on most of them for "absent", and goes on without. */
export function undetected(detail: string): HcpError {
  return { status: 404, title: 'not found', detail, code: 'unknown-route' };
}

export function wrongMethod(allowed: readonly string[]): HcpError {
  const all = allowed.join(', ');
  return {
    status: 405,
    title: 'method not allowed',
    detail: `expected ${all}`,
    headers: { allow: all },
  };
}

/** A credential that is missing or invalid. */
export function unauthenticated(): HcpError {
  return {
    status: 401,
    title: 'unauthorized',
    detail:
      'the credential is missing or invalid: run "terraform login HOST", or give ID.SECRET of a Statehouse credential as token in a credentials block',
    headers: { 'www-authenticate': 'Bearer realm="Statehouse"' },
    stranger: true,
  };
}

/** More requests than one credential or one network address may send. */
export function slowDown(seconds: number): HcpError {
  return {
    status: 429,
    title: 'too many requests',
    detail: `try again in ${seconds} s`,
    headers: {
      'retry-after': String(seconds),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(seconds),
    },
  };
}

/** Cannot say now: never taken for "no state". */
export function unavailable(message: string): HcpError {
  return { status: 503, title: 'temporarily unavailable', detail: message, headers: { 'retry-after': '1' } };
}
