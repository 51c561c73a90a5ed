import { isStranger, type NotAuthenticated } from '../../aws/authenticate.ts';
import { explainNotEntered } from '../../aws/explain.ts';
import { writeXml } from '../../wire/xml-writer.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { STS_NAMESPACE } from '../layout.ts';
import { OPERATION_NAMES } from './detect.ts';

/** An error of AWS's query protocol. */
export interface QueryError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Whoever asked was refused for its credential. */
  readonly stranger?: boolean;
}

export function errorReply(
  { id: requestId }: Pick<DoorRequest, 'id'>,
  operation: string,
  { status, code, message, stranger = false }: QueryError,
): DoorReply {
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  return {
    operation,
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: writeXml('ErrorResponse', { Error: error, RequestId: requestId }, STS_NAMESPACE),
    stranger,
  };
}

/** This door's one table from refusal to wire: who asks is not known, or did not sign the request as it came. */
const NOT_ENTERED: Readonly<Record<NotAuthenticated['problem'], readonly [code: string, status: number]>> = {
  missing: ['MissingAuthenticationToken', 403],
  unsupported: ['IncompleteSignature', 400],
  twice: ['IncompleteSignature', 400],
  malformed: ['IncompleteSignature', 400],
  'malformed-link': ['IncompleteSignature', 400],
  'unsigned-headers': ['SignatureDoesNotMatch', 403],
  skewed: ['SignatureDoesNotMatch', 403],
  expired: ['SignatureDoesNotMatch', 403],
  mismatch: ['SignatureDoesNotMatch', 403],
  'wrong-service': ['SignatureDoesNotMatch', 403],
  'unknown-key': ['InvalidClientTokenId', 403],
  'bad-token': ['InvalidClientTokenId', 403],
};

export function notAuthenticated(refusal: NotAuthenticated): QueryError {
  const [code, status] = NOT_ENTERED[refusal.problem];
  return { status, code, message: explainNotEntered(refusal), stranger: isStranger(refusal) };
}

/**
 * Nothing is signed, as where a role is asked for with a token of somebody else's: which action it is stands in the body, and
 * that is not read of who may be anybody.
 */
export function notSigned(): QueryError {
  const error = notAuthenticated({ problem: 'missing' });
  return { ...error, message: `${error.message} ${OTHERS_TOKENS}` };
}

const OTHERS_TOKENS =
  'AssumeRoleWithWebIdentity and AssumeRoleWithSAML are not supported: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a credential of the server, and leave out assume_role_with_web_identity and AWS_WEB_IDENTITY_TOKEN_FILE.';

/** More requests than one credential or one network address may send: SDKs try it again by its name. */
export function throttled(retryAfterSeconds: number): QueryError {
  return error('Throttling', `Rate exceeded: try again in ${retryAfterSeconds} s.`, 400);
}

export function revoked(): QueryError {
  return error('InvalidClientTokenId', 'The credential was revoked.');
}

export function expired(): QueryError {
  return error('ExpiredToken', 'The credential has expired.');
}

/** Whatever else is asked of AWS: no other service is here. */
export function unknownAction(): QueryError {
  return error(
    'InvalidAction',
    `This operation is not supported: of STS and IAM, only ${OPERATION_NAMES.join(', ')} are.`,
    400,
  );
}

export function error(code: string, message: string, status = 403): QueryError {
  return { status, code, message };
}
