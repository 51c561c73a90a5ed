import { crc32 } from 'node:zlib';
import type { NotLocked } from '../../../core/outcome.ts';
import type { LockAnswer, UnlockAnswer } from '../../../house/locks/locks.ts';
import { isStranger, type NotAuthenticated } from '../../aws/authenticate.ts';
import { explainNotEntered } from '../../aws/explain.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { explain, type Refusal } from '../../explain.ts';
import type { Item } from '../attribute.ts';
import { CONTENT_TYPE } from '../layout.ts';

const API = 'com.amazonaws.dynamodb.v20120810#';
const VALIDATE = 'com.amazon.coral.validate#';
const AVAILABILITY = 'com.amazon.coral.availability#';
const SERVICE = 'com.amazon.coral.service#';

/** The namespaces that the real service puts before its errors' names: clients look behind the "#" only. */
const ERRORS: Readonly<Record<ErrorName, string>> = {
  ConditionalCheckFailedException: API,
  ResourceNotFoundException: API,
  ResourceInUseException: API,
  LimitExceededException: API,
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
  ThrottlingException: AVAILABILITY,
};

export type ErrorName =
  | 'ConditionalCheckFailedException'
  | 'ResourceNotFoundException'
  | 'ResourceInUseException'
  | 'LimitExceededException'
  | 'ValidationException'
  | 'SerializationException'
  | 'UnknownOperationException'
  | 'AccessDeniedException'
  | 'UnrecognizedClientException'
  | 'InvalidSignatureException'
  | 'IncompleteSignatureException'
  | 'MissingAuthenticationTokenException'
  | 'ExpiredTokenException'
  | 'ServiceUnavailable'
  | 'ThrottlingException';

/** A DynamoDB error: the name is what SDKs know it by, the message what people read. */
export interface DynamoError {
  readonly error: ErrorName;
  readonly message: string;
  readonly status?: number;
  /** The item that failed a condition, where the client asked for it. */
  readonly item?: Item;
  /** Whoever asked was refused for its credential. */
  readonly stranger?: boolean;
}

/** All that the house may refuse with at this door, which stores no state. */
type Refused = Extract<Exclude<LockAnswer | UnlockAnswer, NotLocked>, Refusal>;

/** What a lock looks like that somebody else holds: the item is there. */
const CONDITION_FAILED = 'ConditionalCheckFailedException';

export function jsonReply(
  { id }: Pick<DoorRequest, 'id'>,
  operation: string,
  content: unknown,
  status = 200,
): DoorReply {
  const body = Buffer.from(JSON.stringify(content));
  return {
    operation,
    status,
    headers: {
      'content-type': CONTENT_TYPE,
      'x-amzn-requestid': id,
      // Go's and Java's SDKs check it.
      'x-amz-crc32': String(crc32(body)),
    },
    body,
  };
}

export function errorReply(
  request: Pick<DoorRequest, 'id'>,
  operation: string,
  { error, message, status = 400, item, stranger = false }: DynamoError,
): DoorReply {
  const content = {
    __type: `${ERRORS[error]}${error}`,
    message,
    ...(item === undefined ? {} : { Item: Object.fromEntries(item) }),
  };
  return { ...jsonReply(request, operation, content, status), stranger };
}

/** Who asks is not known, or did not sign the request as it came. */
const NOT_ENTERED: Readonly<Record<NotAuthenticated['problem'], ErrorName>> = {
  missing: 'MissingAuthenticationTokenException',
  unsupported: 'IncompleteSignatureException',
  twice: 'IncompleteSignatureException',
  malformed: 'IncompleteSignatureException',
  'malformed-link': 'IncompleteSignatureException',
  'unsigned-headers': 'InvalidSignatureException',
  skewed: 'InvalidSignatureException',
  expired: 'InvalidSignatureException',
  mismatch: 'InvalidSignatureException',
  'wrong-service': 'InvalidSignatureException',
  'unknown-key': 'UnrecognizedClientException',
  'bad-token': 'UnrecognizedClientException',
};

export function notAuthenticated(refusal: NotAuthenticated): DynamoError {
  return {
    error: NOT_ENTERED[refusal.problem],
    message: explainNotEntered(refusal),
    stranger: isStranger(refusal),
  };
}

/** More requests than one credential or one network address may send: SDKs try it again by its name. */
export function throttled(retryAfterSeconds: number): DynamoError {
  return {
    error: 'ThrottlingException',
    message: `Rate of requests exceeds the allowed throughput: try again in ${retryAfterSeconds} s.`,
  };
}

/** This door's one table from refusal to wire. */
const REFUSED: Readonly<Record<Refused['type'], ErrorName>> = {
  gone: 'ServiceUnavailable',
  expired: 'ExpiredTokenException',
  revoked: 'UnrecognizedClientException',
  forbidden: 'AccessDeniedException',
  held: CONDITION_FAILED,
  'released-before': CONDITION_FAILED,
  'not-holder': CONDITION_FAILED,
  'may-not-break': 'AccessDeniedException',
  frozen: 'AccessDeniedException',
  // SDKs try a LimitExceededException again.
  'over-quota': 'AccessDeniedException',
  unannounced: 'AccessDeniedException',
  'too-young': 'AccessDeniedException',
};

export function refused(refusal: Refused): DynamoError {
  const error = REFUSED[refusal.type];
  return { error, message: explain(refusal), ...(error === 'ServiceUnavailable' ? { status: 503 } : {}) };
}

export function conditionFailed(item?: Item): DynamoError {
  return {
    error: CONDITION_FAILED,
    message: 'The conditional request failed',
    ...(item === undefined ? {} : { item }),
  };
}

export function invalid(message: string): DynamoError {
  return { error: 'ValidationException', message };
}
