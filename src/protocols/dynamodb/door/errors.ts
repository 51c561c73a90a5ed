import { crc32 } from 'node:zlib';
import type { Holder } from '../../../core/world.ts';
import type { Forbidden } from '../../../house/caller.ts';
import { formatAddress } from '../../../core/address.ts';
import type { LockAnswer, UnlockAnswer } from '../../../house/locks.ts';
import type { NotEntered } from '../../aws/authenticate.ts';
import { newRequestId } from '../../aws/request-id.ts';
import type { DoorReply } from '../../door.ts';
import { releasedBeforeInWords } from '../../wire/refusal.ts';
import type { Item } from '../attribute.ts';
import { CONTENT_TYPE } from '../layout.ts';

const API = 'com.amazonaws.dynamodb.v20120810#';
const VALIDATE = 'com.amazon.coral.validate#';
const SERVICE = 'com.amazon.coral.service#';

/** The namespaces that the real service puts before its errors' names: clients look behind the "#" only. */
const ERRORS: Readonly<Record<ErrorName, string>> = {
  ConditionalCheckFailedException: API,
  ResourceNotFoundException: API,
  ResourceInUseException: API,
  ValidationException: VALIDATE,
  SerializationException: SERVICE,
  UnknownOperationException: SERVICE,
  AccessDeniedException: SERVICE,
  UnrecognizedClientException: SERVICE,
  InvalidSignatureException: SERVICE,
  IncompleteSignatureException: SERVICE,
  MissingAuthenticationTokenException: SERVICE,
  ExpiredTokenException: SERVICE,
  ServiceUnavailable: SERVICE,
};

export type ErrorName =
  | 'ConditionalCheckFailedException'
  | 'ResourceNotFoundException'
  | 'ResourceInUseException'
  | 'ValidationException'
  | 'SerializationException'
  | 'UnknownOperationException'
  | 'AccessDeniedException'
  | 'UnrecognizedClientException'
  | 'InvalidSignatureException'
  | 'IncompleteSignatureException'
  | 'MissingAuthenticationTokenException'
  | 'ExpiredTokenException'
  | 'ServiceUnavailable';

/** A DynamoDB error: the name is what SDKs know it by, the message what people read. */
export interface DynamoError {
  readonly error: ErrorName;
  readonly message: string;
  readonly status?: number;
  /** The item that failed a condition, where the client asked for it. */
  readonly item?: Item;
}

/** All that the house may refuse with at this door. */
export type Refusal =
  | Exclude<LockAnswer | UnlockAnswer, { type: 'granted' | 'released' | 'not-locked' }>
  | Forbidden;

export function jsonReply(operation: string, content: unknown, status = 200): DoorReply {
  const body = Buffer.from(JSON.stringify(content));
  return {
    operation,
    status,
    headers: {
      'content-type': CONTENT_TYPE,
      'x-amzn-requestid': newRequestId(),
      // Go's and Java's SDKs check it.
      'x-amz-crc32': String(crc32(body)),
    },
    body,
  };
}

export function errorReply(
  operation: string,
  { error, message, status = 400, item }: DynamoError,
): DoorReply {
  const content = {
    __type: `${ERRORS[error]}${error}`,
    message,
    ...(item === undefined ? {} : { Item: Object.fromEntries(item) }),
  };
  return jsonReply(operation, content, status);
}

/** Who asks is not known, or did not sign the request as it came. */
export function notEntered(refusal: NotEntered): DynamoError {
  switch (refusal.problem) {
    case 'missing':
      return {
        error: 'MissingAuthenticationTokenException',
        message: 'Request must contain either a valid (registered) AWS access key ID or X.509 certificate.',
      };
    case 'unsupported':
    case 'twice':
      return {
        error: 'IncompleteSignatureException',
        message: 'Sign the request once, with AWS4-HMAC-SHA256.',
      };
    case 'malformed':
      return { error: 'IncompleteSignatureException', message: refusal.detail };
    case 'unsigned-headers':
      return {
        error: 'InvalidSignatureException',
        message: `These headers must be a 'SignedHeader' in the AWS Authorization: ${refusal.names.join(', ')}.`,
      };
    case 'skewed':
    case 'expired':
      return {
        error: 'InvalidSignatureException',
        message: 'Signature expired: the time of the request is too far from the time of this house.',
      };
    case 'mismatch':
      return {
        error: 'InvalidSignatureException',
        message:
          'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      };
    case 'unknown-key':
      return {
        error: 'UnrecognizedClientException',
        message: 'The security token included in the request is invalid.',
      };
  }
}

/** This door's one table from outcome to wire. */
export function refused(refusal: Refusal): DynamoError {
  switch (refusal.type) {
    case 'held':
      return conditionFailed();
    case 'not-holder':
      return {
        ...conditionFailed(),
        message: `The lock that was meant is no longer held: it was released or broken, and another is held${byWhom(refusal.holders)}.`,
      };
    case 'released-before':
      return { ...conditionFailed(), message: `${releasedBeforeInWords(refusal)}.` };
    case 'may-not-break':
      return {
        error: 'AccessDeniedException',
        message: `The state is locked${byWhom(refusal.holders)}: only an operator may break another's lock.`,
      };
    case 'forbidden': {
      const on = refusal.address === null ? 'this house' : formatAddress(refusal.address);
      return {
        error: 'AccessDeniedException',
        message: `${refusal.subject} is not authorized to ${refusal.action} on ${on}`,
      };
    }
    case 'expired':
      return {
        error: 'ExpiredTokenException',
        message: 'The credential has expired, and holds no lock here.',
      };
    case 'gone':
      return { error: 'ServiceUnavailable', status: 503, message: 'The request was given up: ask again.' };
  }
}

export function conditionFailed(item?: Item): DynamoError {
  return {
    error: 'ConditionalCheckFailedException',
    message: 'The conditional request failed',
    ...(item === undefined ? {} : { item }),
  };
}

export function invalid(message: string): DynamoError {
  return { error: 'ValidationException', message };
}

function byWhom(holders: readonly Holder[]): string {
  const [holder] = holders;
  if (holder === undefined) return '';
  return ` by ${holder.subject} through ${holder.door} since ${new Date(holder.since).toISOString()}, lock ID ${holder.lockId}`;
}
