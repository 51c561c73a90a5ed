import type { DoorReply, DoorRequest } from '../../door.ts';
import { explain, type Refusal } from '../../explain.ts';
import { writeXml } from '../../wire/xml-writer.ts';
import type { Undetected } from './detect.ts';

/** An error of Blob Storage: the code is what programs know it by, the message what people read. */
export interface AzureError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whoever asked was refused for its credential. */
  readonly stranger?: boolean;
}

/** Writes an error as Blob Storage does; an answer to HEAD has its code in a header alone. */
export function errorReply(
  operation: string,
  { status, code, message, headers = {}, stranger = false }: AzureError,
  { method, id }: Pick<DoorRequest, 'method' | 'id'>,
): DoorReply {
  const hasBody = method !== 'HEAD' && status !== 304;
  return {
    operation,
    status,
    headers: {
      ...(hasBody ? { 'content-type': 'application/xml' } : {}),
      'x-ms-error-code': code,
      ...headers,
    },
    body: hasBody
      ? readable(writeXml('Error', { Code: code, Message: `${message}\nRequestId:${id}` }))
      : null,
    stranger,
  };
}

/** Go's library for Azure prints the document itself, so quotes stand in it as they are, which XML allows. */
function readable(document: Uint8Array): Uint8Array {
  return Buffer.from(
    Buffer.from(document).toString('utf8').replaceAll('&quot;', '"').replaceAll('&#39;', "'"),
  );
}

type Row = readonly [status: number, code: string];

/**
 * This door's one table from refusal to status and code (Blob service REST API, "Blob Storage error codes"). Azure's clients send
 * again what is answered with 408, 429 or 5xx.
 */
const REFUSED: Readonly<Record<Refusal['type'], Row>> = {
  absent: [404, 'BlobNotFound'],
  exists: [409, 'BlobAlreadyExists'],
  gone: [503, 'ServerBusy'],
  expired: [403, 'AuthenticationFailed'],
  revoked: [403, 'AuthenticationFailed'],
  forbidden: [403, 'AuthorizationPermissionMismatch'],
  held: [412, 'LeaseIdMissing'],
  'released-before': [409, 'LeaseIsBrokenAndCannotBeRenewed'],
  'not-locked': [412, 'LeaseNotPresentWithBlobOperation'],
  'not-holder': [412, 'LeaseIdMismatchWithBlobOperation'],
  'may-not-break': [403, 'AuthorizationPermissionMismatch'],
  'too-young': [409, 'LeaseIdMismatchWithLeaseOperation'],
  fenced: [412, 'LeaseIdMismatchWithBlobOperation'],
  'shared-hold': [412, 'LeaseIdMismatchWithBlobOperation'],
  stale: [412, 'ConditionNotMet'],
  frozen: [409, 'BlobImmutableDueToPolicy'],
  'too-large': [413, 'RequestBodyTooLarge'],
  'not-a-state': [400, 'InvalidInput'],
  damaged: [400, 'InvalidInput'],
  'over-quota': [403, 'AuthorizationFailure'],
  unannounced: [403, 'AuthorizationFailure'],
  retained: [409, 'BlobImmutableDueToPolicy'],
  busy: [503, 'ServerBusy'],
};

/** The same of an operation on the lease itself, where it differs. */
const LEASE_REFUSED: Readonly<Partial<Record<Refusal['type'], Row>>> = {
  held: [409, 'LeaseAlreadyPresent'],
  'not-locked': [409, 'LeaseNotPresentWithLeaseOperation'],
  'not-holder': [409, 'LeaseIdMismatchWithLeaseOperation'],
};

export function refused(refusal: Refusal): AzureError {
  // Nobody has the lock that the request names.
  const isFree = refusal.type === 'fenced' && refusal.holders.length === 0;
  return errorOf(refusal, isFree ? REFUSED['not-locked'] : REFUSED[refusal.type]);
}

export function leaseRefused(refusal: Refusal): AzureError {
  return errorOf(refusal, LEASE_REFUSED[refusal.type] ?? REFUSED[refusal.type]);
}

function errorOf(refusal: Refusal, [status, code]: Row): AzureError {
  const again = refusal.type === 'busy' ? { 'retry-after': String(refusal.retryAfterSeconds) } : null;
  return { status, code, message: explain(refusal), ...(again === null ? {} : { headers: again }) };
}

export function undetected({ problem, message }: Undetected): AzureError {
  return problem === 'invalid' ? invalidInput(message) : { status: 400, code: 'NotSupported', message };
}

/** Nobody whom the house knows. @param why what is wrong, for those who configure a client */
export function unauthenticated(why: string): AzureError {
  return { status: 403, code: 'AuthenticationFailed', message: why, stranger: true };
}

/** A request without any credential: Azure's libraries learn from the answer where to get a token. */
export function noCredential(origin: string): AzureError {
  return {
    status: 401,
    code: 'NoAuthenticationInformation',
    message:
      'the credential is missing: set access_key (or ARM_ACCESS_KEY) to the secret of a Statehouse credential, and storage_account_name to its id in lower case',
    headers: {
      'www-authenticate': `Bearer authorization_uri=${origin}/adfs/oauth2/authorize resource_id=https://storage.azure.com`,
    },
    stranger: true,
  };
}

/** A shared access signature, or its time or place, does not allow this. */
export function notPermitted(code: string, message: string): AzureError {
  return { status: 403, code, message };
}

/** More requests than one credential or one network address may send. */
export function slowDown(retryAfterSeconds: number): AzureError {
  return {
    status: 503,
    code: 'ServerBusy',
    message: `too many requests: try again in ${retryAfterSeconds} s`,
    headers: { 'retry-after': String(retryAfterSeconds) },
  };
}

/** Cannot say now: never taken for "no blob". */
export function unavailable(message: string): AzureError {
  return { status: 500, code: 'InternalError', message, headers: { 'retry-after': '1' } };
}

function invalidInput(message: string): AzureError {
  return { status: 400, code: 'InvalidInput', message };
}

export function invalidHeader(name: string, expected: string): AzureError {
  return {
    status: 400,
    code: 'InvalidHeaderValue',
    message: `the value of ${name} is invalid: expected ${expected}`,
  };
}

export function invalidQuery(name: string, expected: string): AzureError {
  return {
    status: 400,
    code: 'InvalidQueryParameterValue',
    message: `the value of ${name} is invalid: expected ${expected}`,
  };
}

export function notDone(what: string, instead: string): AzureError {
  return { status: 400, code: 'NotSupported', message: `${what} is not supported: ${instead}` };
}

export function noSuchBlob(): AzureError {
  return { status: 404, code: 'BlobNotFound', message: 'The specified blob does not exist.' };
}

export function noSuchContainer(): AzureError {
  return { status: 404, code: 'ContainerNotFound', message: 'The specified container does not exist.' };
}

export function conditionNotMet(condition: string): AzureError {
  return {
    status: 412,
    code: 'ConditionNotMet',
    message: `The condition specified using HTTP conditional header(s) is not met: ${condition}.`,
  };
}

/** What cannot be a state has no place. */
export function noPlaceFor(problem: string): AzureError {
  return {
    status: 400,
    code: 'InvalidResourceName',
    message: `only Terraform states are kept here, and a state cannot have this name: ${problem}`,
  };
}
