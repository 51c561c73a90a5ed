import type { NotEntered } from '../../aws/authenticate.ts';
import { newRequestId } from '../../aws/request-id.ts';
import { writeXml } from '../../wire/xml-writer.ts';
import type { DoorReply } from '../../door.ts';
import { STS_NAMESPACE } from '../layout.ts';

/** An error of AWS's query protocol. */
export interface QueryError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export function errorReply(operation: string, { status, code, message }: QueryError): DoorReply {
  const requestId = newRequestId();
  const error = { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message };
  return {
    operation,
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: writeXml('ErrorResponse', { Error: error, RequestId: requestId }, STS_NAMESPACE),
  };
}

/** This door's one table from refusal to wire: who asks is not known, or did not sign the request as it came. */
export function notEntered(refusal: NotEntered): QueryError {
  switch (refusal.problem) {
    case 'missing':
      return error('MissingAuthenticationToken', 'Request is missing Authentication Token');
    case 'unsupported':
    case 'twice':
      return error('IncompleteSignature', 'Sign the request once, with AWS4-HMAC-SHA256.', 400);
    case 'malformed':
      return error('IncompleteSignature', refusal.detail, 400);
    case 'unsigned-headers':
      return error('SignatureDoesNotMatch', `These headers must be signed: ${refusal.names.join(', ')}.`);
    case 'skewed':
    case 'expired':
      return error(
        'SignatureDoesNotMatch',
        'Signature expired: the time of the request is too far from the time of this house.',
      );
    case 'mismatch':
      return error(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      );
    case 'unknown-key':
      return error('InvalidClientTokenId', 'The security token included in the request is invalid.');
  }
}

/** Whatever else is asked of AWS: no other service is here. */
export function unknownAction(): QueryError {
  return error(
    'InvalidAction',
    'This is not done here: of STS and IAM there are GetCallerIdentity and GetUser, and no roles to assume.',
    400,
  );
}

export function error(code: string, message: string, status = 403): QueryError {
  return { status, code, message };
}
