import type { Outcome } from '../../../core/outcome.ts';
import type { Holder } from '../../../core/world.ts';
import { parseLockInfo } from '../../../core/lock-info.ts';
import type { LockAnswer, UnlockAnswer } from '../../../house/locks.ts';
import type { RestoreAnswer } from '../../../house/history.ts';
import type { DeleteAnswer, ReadAnswer, WriteAnswer } from '../../../house/states.ts';
import type { PieceAnswer } from '../../../house/uploads.ts';
import type { PayloadProblem } from '../../aws/payload-problem.ts';
import { newRequestId } from '../../aws/request-id.ts';
import { writeXml, type XmlElement } from '../../wire/xml-writer.ts';
import type { DoorReply } from '../../door.ts';
import { releasedBeforeInWords } from '../../wire/refusal.ts';
import type { NotAdmitted } from './auth.ts';
import type { Undetected } from './detect.ts';

/** An S3 error: the code is what SDKs know it by, the message what people read. */
export interface S3Error {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: XmlElement;
  readonly headers?: Readonly<Record<string, string>>;
}

/** All that the house may refuse with at this door. */
export type Refusal =
  | Exclude<
      ReadAnswer | WriteAnswer | DeleteAnswer | LockAnswer | UnlockAnswer | RestoreAnswer | PieceAnswer,
      { type: 'found' | 'stored' | 'deleted' | 'granted' | 'released' | 'kept' }
    >
  | Extract<Outcome, { type: 'exists' }>;

/** Writes an error as S3 does; a HEAD request's has no body. */
export function errorReply(operation: string, resource: string, error: S3Error): DoorReply {
  const { status, code, message, details = {}, headers = {} } = error;
  const requestId = newRequestId();
  const body = writeXml('Error', {
    Code: code,
    Message: message,
    ...details,
    Resource: resource,
    RequestId: requestId,
    HostId: HOST_ID,
  });
  const ids = { 'x-amz-request-id': requestId, 'x-amz-id-2': HOST_ID };
  if (operation.startsWith('Head')) return { operation, status, headers: { ...ids, ...headers }, body: null };
  return { operation, status, headers: { ...ids, 'content-type': 'application/xml', ...headers }, body };
}

/** Who asks is not known, or did not ask as S3 wants to be asked. */
export function notAdmitted(refusal: NotAdmitted): S3Error {
  switch (refusal.problem) {
    case 'missing':
      return denied('Anonymous requests are not answered: sign the request with a credential of this house.');
    case 'unsupported':
      return invalid(
        'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      );
    case 'twice':
      return {
        status: 400,
        code: 'InvalidArgument',
        message:
          'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
      };
    case 'malformed':
      return { status: 400, code: 'AuthorizationHeaderMalformed', message: refusal.detail };
    case 'unsigned-headers':
      return {
        ...denied('There were headers present in the request which were not signed'),
        details: { HeadersNotSigned: refusal.names.join(', ') },
      };
    case 'skewed':
      return {
        status: 403,
        code: 'RequestTimeTooSkewed',
        message: 'The difference between the request time and the current time is too large.',
        details: { RequestTime: refusal.date, MaxAllowedSkewMilliseconds: 900_000 },
      };
    case 'expired':
      return denied('Request has expired');
    case 'mismatch':
      return {
        status: 403,
        code: 'SignatureDoesNotMatch',
        message:
          'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      };
    case 'unknown-key':
      return {
        status: 403,
        code: 'InvalidAccessKeyId',
        message: 'The AWS Access Key Id you provided does not exist in our records.',
        details: { AWSAccessKeyId: refusal.accessKeyId },
      };
    case 'no-payload-hash':
      return invalid('Missing required header for this request: x-amz-content-sha256');
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
    'invalid-digest': [400, 'InvalidRequest'],
    'too-large': [400, 'EntityTooLarge'],
  } as const;
  const [status, code] = codes[flaw];
  return { status, code, message };
}

/** This door's one table from outcome to wire. */
export function refused(refusal: Refusal): S3Error {
  switch (refusal.type) {
    case 'absent':
      return { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };
    case 'forbidden': {
      const on =
        refusal.address === null ? 'this house' : `${refusal.address.project}/${refusal.address.key}`;
      return denied(`${refusal.subject} may not ${refusal.action} on ${on}`);
    }
    case 'expired':
      return {
        status: 400,
        code: 'ExpiredToken',
        message: 'The credential has expired, and holds no lock here.',
      };
    case 'held':
      return {
        status: 409,
        code: 'OperationAborted',
        message: `The state is locked${byWhom(refusal.holders)}: nobody else may change it until the lock is released.`,
      };
    case 'shared-hold':
      return {
        status: 409,
        code: 'OperationAborted',
        message: 'The lock is held for a plan, together with other plans, and a plan does not write.',
      };
    case 'fenced':
    case 'not-holder':
      return {
        ...preconditionFailed(),
        message: `The lock that was meant is no longer held: it was released or broken, and the state is now locked${byWhom(refusal.holders)}.`,
      };
    case 'released-before':
      return { ...preconditionFailed(), message: `${releasedBeforeInWords(refusal)}.` };
    case 'may-not-break':
      return denied(
        `The state is locked${byWhom(refusal.holders)}: only an operator may break another's lock.`,
      );
    case 'stale':
      return { ...preconditionFailed(), message: STALE[refusal.reason] };
    case 'exists':
      return { ...preconditionFailed(), message: 'There is a state already.' };
    case 'too-large':
      return {
        status: 400,
        code: 'EntityTooLarge',
        message: 'Your proposed upload exceeds the maximum allowed size',
        details: { MaxSizeAllowed: refusal.limit },
      };
    case 'not-a-state':
      return invalid(
        `Only Terraform states and their lock files are kept here, and this is neither: ${refusal.problem}.`,
      );
    case 'damaged':
      return { status: 400, code: 'IncompleteBody', message: refusal.problem };
    case 'busy':
      return {
        status: 503,
        code: 'SlowDown',
        message: 'Please reduce your request rate.',
        headers: { 'retry-after': String(refusal.retryAfterSeconds) },
      };
    case 'gone':
      return { status: 503, code: 'ServiceUnavailable', message: 'The request was given up: ask again.' };
    case 'not-locked':
      return { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };
  }
}

const STALE = {
  'serial-lower':
    'The serial is lower than that of the newest state: this write would lose a change. Pull the newest state and try again.',
  'serial-equal':
    'There is another state with this serial: this write would lose a change. Pull the newest state and try again.',
  lineage: 'The lineage is another: these are two unrelated states.',
  'changed-meanwhile': 'At least one of the pre-conditions you specified did not hold',
} as const;

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

export function invalidArgument(name: string, value: string, message: string): S3Error {
  return {
    status: 400,
    code: 'InvalidArgument',
    message,
    details: { ArgumentName: name, ArgumentValue: value },
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

/** Names who holds the lock, as far as the lock info and the house know. */
function byWhom(holders: readonly Holder[]): string {
  const [holder] = holders;
  if (holder === undefined) return '';
  const parsed = parseLockInfo(holder.info);
  const who =
    'info' in parsed && parsed.info.who !== '' ? `${parsed.info.who} (${holder.subject})` : holder.subject;
  return ` by ${who} through ${holder.door} since ${new Date(holder.since).toISOString()}, lock ID ${holder.lockId}`;
}

const HOST_ID = 'statehouse';
