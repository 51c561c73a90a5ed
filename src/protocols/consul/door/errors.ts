import type { DoorReply } from '../../door.ts';
import { explain, type Refusal } from '../../explain.ts';
import type { Undetected } from './detect.ts';

/** A refusal, which Consul writes as a line of text. */
export interface ConsulError {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whoever asked was refused for its credential. Default false. */
  readonly stranger?: boolean;
}

/** Writes an error as Consul does. Go's client prints it whole: `Unexpected response code: 403 (…)`. */
export function errorReply(
  operation: string,
  { status, message, headers = {}, stranger = false }: ConsulError,
): DoorReply {
  return {
    operation,
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
    body: Buffer.from(message),
    stranger,
  };
}

/** This door's one table from refusal to wire. */
const REFUSED: Readonly<Record<Refusal['type'], number>> = {
  absent: 404,
  exists: 409,
  gone: 503,
  expired: 403,
  revoked: 403,
  forbidden: 403,
  held: 409,
  'released-before': 409,
  'not-locked': 409,
  'not-holder': 409,
  'may-not-break': 403,
  'too-young': 409,
  fenced: 409,
  'shared-hold': 409,
  stale: 409,
  frozen: 409,
  'too-large': 413,
  'not-a-state': 400,
  damaged: 400,
  'over-quota': 403,
  unannounced: 403,
  retained: 403,
  busy: 503,
};

/** Refusals that a transaction answers as one that was rolled back: nothing is wrong with who asks, or with the request. */
export const ROLLED_BACK = 409;

export function refused(refusal: Refusal): ConsulError {
  const status = REFUSED[refusal.type];
  if (refusal.type === 'too-large') {
    // Terraform takes the words "too large" for Consul's own limit, and would send the state again in chunks.
    const message = `the state exceeds the limit of this server: expected at most ${refusal.limit} bytes`;
    return { status, message };
  }
  const message = status === 403 ? `Permission denied: ${explain(refusal)}` : explain(refusal);
  const again = refusal.type === 'busy' ? { 'retry-after': String(refusal.retryAfterSeconds) } : null;
  return { status, message, ...(again === null ? {} : { headers: again }) };
}

export function undetected({ problem, message }: Undetected): ConsulError {
  return { status: { invalid: 400, method: 405, unknown: 501 }[problem], message };
}

/** Nobody whom the house knows. */
export function unauthenticated(): ConsulError {
  return {
    status: 403,
    message:
      'Permission denied: the token is missing or invalid: set access_token (or CONSUL_HTTP_TOKEN) to ID.SECRET of a Statehouse credential',
    stranger: true,
  };
}

/** More requests than one credential or one network address may send. */
export function slowDown(retryAfterSeconds: number): ConsulError {
  return {
    status: 429,
    message: `too many requests: try again in ${retryAfterSeconds} s`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  };
}

/** Cannot say now: never taken for "no key". */
export function unavailable(message: string): ConsulError {
  return { status: 500, message, headers: { 'retry-after': '1' } };
}

export function invalid(message: string): ConsulError {
  return { status: 400, message };
}

export function conflict(message: string): ConsulError {
  return { status: 409, message };
}

/** As Consul says it (`agent/consul/state/kvs.go`): its clients make a new session. */
export function noSession(id: string): ConsulError {
  return {
    status: 500,
    message: `invalid session "${id}": it was destroyed, has ended, or belongs to another credential`,
  };
}

export function notDone(what: string, instead: string): ConsulError {
  return { status: 501, message: `${what} is not supported: ${instead}` };
}
