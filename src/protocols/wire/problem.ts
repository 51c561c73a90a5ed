import type { ErrorWord } from '../../api/error.ts';
import type { DoorReply } from '../door.ts';

/** What a problem is told with, besides its name. */
export interface Problem {
  readonly status: number;
  readonly message: string;
  readonly facts?: Readonly<Record<string, unknown>>;
  /** When to ask again, where the house knows. */
  readonly retryAfterSeconds?: number;
}

/** A refusal or fault as JSON: a word for programs, a sentence for people, and what facts there are. */
export function problemReply(
  operation: string,
  error: ErrorWord,
  { status, message, facts, retryAfterSeconds }: Problem,
): DoorReply {
  return {
    operation,
    status,
    headers: {
      'content-type': 'application/json',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: Buffer.from(`${JSON.stringify({ error, message, ...facts })}\n`),
  };
}

/** Nobody whom the house knows. */
export function unauthenticatedReply(operation: string): DoorReply {
  const reply = problemReply(operation, 'unauthenticated', {
    status: 401,
    message:
      'the credential is missing or invalid: give its id as the user name and its secret as the password',
  });
  const challenge = 'Basic realm="Statehouse", charset="UTF-8"';
  return { ...reply, headers: { ...reply.headers, 'www-authenticate': challenge }, stranger: true };
}

/** More requests than one credential or one network address may send. */
export function throttledReply(operation: string, retryAfterSeconds: number): DoorReply {
  return problemReply(operation, 'throttled', {
    status: 429,
    message: `too many requests: try again in ${retryAfterSeconds} s`,
    retryAfterSeconds,
  });
}

/** Cannot say now: never taken for "no state". */
export function faultReply(operation: string, message: string): DoorReply {
  return problemReply(operation, 'fault', { status: 503, message, retryAfterSeconds: 1 });
}

/** A method that the path does not take. */
export function methodReply(allowed: readonly string[]): DoorReply {
  const message = `this method is not supported here: use ${allowed.join(', ')}`;
  const reply = problemReply('unknown', 'method', { status: 405, message });
  return { ...reply, headers: { ...reply.headers, allow: allowed.join(', ') } };
}
