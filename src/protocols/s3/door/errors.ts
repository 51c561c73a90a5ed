import { CLOCK_SKEW_MAX_MS } from '../../aws/verify.ts';
import { isStranger } from '../../aws/authenticate.ts';
import { explainNotEntered } from '../../aws/explain.ts';
import type { PayloadProblem } from '../../aws/payload-problem.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { explain, type Refusal } from '../../explain.ts';
import { writeXml, type XmlElement } from '../../wire/xml-writer.ts';
import { HOME_REGION } from '../layout.ts';
import type { NotAuthenticatedRequest } from './auth.ts';
import type { Undetected } from './detect.ts';

/** An S3 error: the code is what SDKs know it by, the message what people read. */
export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: XmlElement;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whoever asked was refused for its credential. */
  readonly stranger?: boolean;
}

/** Writes an error as S3 does; a HEAD request's has no body. */
export function errorReply(
  { id: requestId, path }: Pick<DoorRequest, 'id' | 'path'>,
  operation: string,
  error: S3Error,
): DoorReply {
  const { status, code, message, details = {}, headers = {}, stranger = false } = error;
  const body = writeXml('Error', {
    Code: code,
    Message: message,
    ...details,
    Resource: path,
    RequestId: requestId,
    HostId: HOST_ID,
  });
  const ids = { 'x-amz-request-id': requestId, 'x-amz-id-2': HOST_ID };
  if (operation.startsWith('Head'))
    return { operation, status, headers: { ...ids, ...headers }, body: null, stranger };
  const all = { ...ids, 'content-type': 'application/xml', ...headers };
  return { operation, status, headers: all, body, stranger };
}

/** Who asks is not known, or did not ask as S3 wants to be asked. */
const NOT_ADMITTED: Readonly<
  Record<NotAuthenticatedRequest['problem'], readonly [status: number, code: string]>
> = {
  missing: [403, 'AccessDenied'],
  unsupported: [400, 'InvalidRequest'],
  twice: [400, 'InvalidArgument'],
  malformed: [400, 'AuthorizationHeaderMalformed'],
  'malformed-link': [400, 'AuthorizationQueryParametersError'],
  'unsigned-headers': [403, 'AccessDenied'],
  skewed: [403, 'RequestTimeTooSkewed'],
  expired: [403, 'AccessDenied'],
  mismatch: [403, 'SignatureDoesNotMatch'],
  'wrong-service': [400, 'AuthorizationHeaderMalformed'],
  'unknown-key': [403, 'InvalidAccessKeyId'],
  'bad-token': [400, 'InvalidToken'],
  'no-payload-hash': [400, 'InvalidRequest'],
  'unsigned-body': [403, 'AccessDenied'],
};

export function notAdmitted(refusal: NotAuthenticatedRequest): S3Error {
  const [status, code] = NOT_ADMITTED[refusal.problem];
  const [message, details] = [messageOf(refusal), detailsOf(refusal)];
  const headers = refusal.problem === 'missing' ? { 'x-amz-bucket-region': HOME_REGION } : {};
  return { status, code, message, details, headers, stranger: isStranger(refusal) };
}

/** More requests than one credential or one network address may send. */
export function slowDown(retryAfterSeconds: number): S3Error {
  return {
    status: 503,
    code: 'SlowDown',
    message: 'Please reduce your request rate.',
    headers: { 'retry-after': String(retryAfterSeconds) },
  };
}

function messageOf(refusal: NotAuthenticatedRequest): string {
  switch (refusal.problem) {
    case 'no-payload-hash':
      return 'Missing required header for this request: x-amz-content-sha256';
    case 'unsigned-body':
      return 'The body is not signed, and the connection is not encrypted: use https, or let the client sign the body. If a proxy before this server ends TLS, start the server with --allow-unsigned-bodies.';
    default:
      return explainNotEntered(refusal);
  }
}

/** What SDKs find beside the message. */
function detailsOf(refusal: NotAuthenticatedRequest): XmlElement {
  switch (refusal.problem) {
    case 'unsigned-headers':
      return { HeadersNotSigned: refusal.names.join(', ') };
    case 'skewed':
      return { RequestTime: refusal.date, MaxAllowedSkewMilliseconds: CLOCK_SKEW_MAX_MS };
    case 'unknown-key':
      return { AWSAccessKeyId: refusal.accessKeyId };
    default:
      return {};
  }
}

export function undetected({ problem, message }: Undetected): S3Error {
  const status = { InvalidURI: 400, MethodNotAllowed: 405, NotImplemented: 501 }[problem];
  return { status, code: problem, message };
}

/** What is wrong with a body, as S3 says it. */
export function brokenPayload({ flaw, message }: PayloadProblem): S3Error {
  const codes = {
    'malformed-chunks': [400, 'InvalidRequest'],
    incomplete: [400, 'IncompleteBody'],
    'chunk-signature': [403, 'SignatureDoesNotMatch'],
    'sha256-mismatch': [400, 'XAmzContentSHA256Mismatch'],
    'bad-digest': [400, 'BadDigest'],
    'bad-part': [400, 'InvalidPart'],
    'invalid-digest': [400, 'InvalidRequest'],
    'invalid-md5': [400, 'InvalidDigest'],
    'too-large': [400, 'EntityTooLarge'],
  } as const;
  const [status, code] = codes[flaw];
  return { status, code, message };
}

/** This door's one table from refusal to wire. */
const REFUSED: Readonly<Record<Refusal['type'], readonly [status: number, code: string]>> = {
  absent: [404, 'NoSuchKey'],
  exists: [412, 'PreconditionFailed'],
  gone: [503, 'ServiceUnavailable'],
  expired: [400, 'ExpiredToken'],
  revoked: [403, 'InvalidAccessKeyId'],
  forbidden: [403, 'AccessDenied'],
  held: [409, 'OperationAborted'],
  'released-before': [412, 'PreconditionFailed'],
  'not-locked': [404, 'NoSuchKey'],
  'not-holder': [412, 'PreconditionFailed'],
  'may-not-break': [403, 'AccessDenied'],
  'too-young': [409, 'OperationAborted'],
  fenced: [412, 'PreconditionFailed'],
  'shared-hold': [409, 'OperationAborted'],
  stale: [412, 'PreconditionFailed'],
  // A conflict would be tried again by SDKs.
  frozen: [403, 'AccessDenied'],
  // As at Ceph; with a 5xx SDKs would try again.
  'over-quota': [403, 'QuotaExceeded'],
  unannounced: [403, 'AccessDenied'],
  retained: [403, 'AccessDenied'],
  'too-large': [400, 'EntityTooLarge'],
  'not-a-state': [400, 'InvalidArgument'],
  damaged: [400, 'IncompleteBody'],
  busy: [503, 'SlowDown'],
};

export function refused(refusal: Refusal): S3Error {
  const [status, code] = REFUSED[refusal.type];
  return {
    status,
    code,
    message: explain(refusal),
    ...(refusal.type === 'too-large' ? { details: { MaxSizeAllowed: refusal.limit } } : {}),
    ...(refusal.type === 'busy' ? { headers: { 'retry-after': String(refusal.retryAfterSeconds) } } : {}),
  };
}

/** A lock file that is not there is no refusal: S3 tells it in its own sentence, which tools show as it is. */
export function noSuchKey(): S3Error {
  return { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };
}

export function preconditionFailed(condition?: string): S3Error {
  return {
    status: 412,
    code: 'PreconditionFailed',
    message: 'At least one of the pre-conditions you specified did not hold',
    ...(condition === undefined ? {} : { details: { Condition: condition } }),
  };
}

export function invalid(message: string): S3Error {
  return { status: 400, code: 'InvalidRequest', message };
}

/**
 * What S3 would keep and this door does not: by a code of which no SDK has a shape, because Go's, which terraform uses, drops the
 * message of an `InvalidRequest` (aws-sdk-go-v2 service/s3/deserializers.go, `awsRestxml_deserializeErrorInvalidRequest`).
 */
export function notKept(message: string): S3Error {
  return { status: 400, code: 'InvalidArgument', message };
}

/** What cannot be a state has no place. */
export function noPlaceFor(problem: string): S3Error {
  return notKept(
    `Only Terraform states and their lock files are kept here, and a state cannot have this name: ${problem}.`,
  );
}

export function invalidArgument(name: string, value: string, message: string): S3Error {
  return {
    status: 400,
    code: 'InvalidArgument',
    message,
    details: { ArgumentName: name, ArgumentValue: value },
  };
}

export function noSuchVersion(): S3Error {
  return { status: 404, code: 'NoSuchVersion', message: 'The specified version does not exist.' };
}

/** A header or parameter that would change what the request means, and that is not done here. */
export function headerNotDone(name: string): S3Error {
  return {
    status: 501,
    code: 'NotImplemented',
    message: `A header or parameter you provided implies functionality that is not implemented: ${name}`,
    details: { Header: name },
  };
}

export function denied(message: string): S3Error {
  return { status: 403, code: 'AccessDenied', message };
}

export function malformedXml(): S3Error {
  return {
    status: 400,
    code: 'MalformedXML',
    message: 'The XML you provided was not well-formed or did not validate against our published schema',
  };
}

export function noSuchBucket(bucket: string): S3Error {
  return {
    status: 404,
    code: 'NoSuchBucket',
    message: 'The specified bucket does not exist',
    details: { BucketName: bucket },
  };
}

export function invalidRange(size: number): S3Error {
  return {
    status: 416,
    code: 'InvalidRange',
    message: 'The requested range is not satisfiable',
    headers: { 'content-range': `bytes */${size}` },
    details: { ActualObjectSize: size },
  };
}

const HOST_ID = 'statehouse';
