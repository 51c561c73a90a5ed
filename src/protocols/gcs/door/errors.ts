import type { DoorReply } from '../../door.ts';
import { explain, type Refusal } from '../../explain.ts';
import { writeXml } from '../../wire/xml-writer.ts';
import type { Undetected } from './detect.ts';

/** An error of Cloud Storage: the reason is what programs know it by, the message what people read. */
export interface GcsError {
  readonly status: number;
  readonly reason: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whoever asked was refused for its credential. */
  readonly stranger?: boolean;
}

/** Writes an error as the JSON API does, or as the XML API, which the reads of Go's client go to. */
export function errorReply(operation: string, error: GcsError, xml: boolean): DoorReply {
  const { status, reason, message, headers = {}, stranger = false } = error;
  const json = { code: status, message, errors: [{ message, domain: 'global', reason }] };
  return {
    operation,
    status,
    headers: { 'content-type': xml ? 'application/xml' : 'application/json', ...headers },
    body: xml
      ? writeXml('Error', { Code: reason, Message: message })
      : Buffer.from(`${JSON.stringify({ error: json })}\n`),
    stranger,
  };
}

/** This door's one table from refusal to wire. Google's clients send again what is answered with 408, 429 or 5xx. */
const REFUSED: Readonly<Record<Refusal['type'], readonly [status: number, reason: string]>> = {
  absent: [404, 'notFound'],
  exists: [412, 'conditionNotMet'],
  gone: [503, 'backendError'],
  expired: [401, 'authError'],
  revoked: [401, 'authError'],
  forbidden: [403, 'forbidden'],
  held: [409, 'conflict'],
  'released-before': [412, 'conditionNotMet'],
  'not-locked': [404, 'notFound'],
  'not-holder': [412, 'conditionNotMet'],
  'may-not-break': [403, 'forbidden'],
  'too-young': [409, 'conflict'],
  fenced: [409, 'conflict'],
  'shared-hold': [409, 'conflict'],
  stale: [412, 'conditionNotMet'],
  frozen: [403, 'forbidden'],
  'too-large': [413, 'uploadTooLarge'],
  'not-a-state': [400, 'invalid'],
  damaged: [400, 'invalid'],
  'over-quota': [403, 'quotaExceeded'],
  unannounced: [403, 'forbidden'],
  retained: [403, 'retentionPolicyNotMet'],
  busy: [503, 'backendError'],
};

export function refused(refusal: Refusal): GcsError {
  const [status, reason] = REFUSED[refusal.type];
  const again = refusal.type === 'busy' ? { 'retry-after': String(refusal.retryAfterSeconds) } : null;
  return { status, reason, message: explain(refusal), ...(again === null ? {} : { headers: again }) };
}

/** A lock that somebody else holds is an object that is there already; who holds it stands in the message, which is printed. */
export function lockTaken(refusal: Refusal): GcsError {
  return { status: 412, reason: 'conditionNotMet', message: explain(refusal) };
}

export function undetected({ problem, message }: Undetected): GcsError {
  return { status: problem === 'invalid' ? 400 : 501, reason: problem, message };
}

/** Nobody whom the house knows. */
export function unauthenticated(): GcsError {
  return {
    status: 401,
    reason: 'authError',
    message:
      'the credential is missing or invalid: set access_token (or GOOGLE_OAUTH_ACCESS_TOKEN) to ID.SECRET of a Statehouse credential',
    headers: { 'www-authenticate': 'Bearer realm="Statehouse"' },
    stranger: true,
  };
}

/** More requests than one credential or one network address may send. */
export function slowDown(retryAfterSeconds: number): GcsError {
  return {
    status: 429,
    reason: 'rateLimitExceeded',
    message: `too many requests: try again in ${retryAfterSeconds} s`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  };
}

/** Cannot say now: never taken for "no object". */
export function unavailable(message: string): GcsError {
  return { status: 503, reason: 'backendError', message, headers: { 'retry-after': '1' } };
}

export function invalid(message: string): GcsError {
  return { status: 400, reason: 'invalid', message };
}

export function noSuchObject(bucket: string, object: string): GcsError {
  return { status: 404, reason: 'notFound', message: `No such object: ${bucket}/${object}` };
}

export function noSuchBucket(): GcsError {
  return { status: 404, reason: 'notFound', message: 'The specified bucket does not exist.' };
}

export function conditionNotMet(condition: string): GcsError {
  return {
    status: 412,
    reason: 'conditionNotMet',
    message: `At least one of the pre-conditions you specified did not hold: ${condition}`,
  };
}

export function notDone(what: string, instead: string): GcsError {
  return { status: 501, reason: 'notImplemented', message: `${what} is not supported: ${instead}` };
}
