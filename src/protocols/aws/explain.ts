import type { NotAuthenticated } from './authenticate.ts';

/** Why a request is not believed, and what to do next: the one sentence for it at every AWS door. */
export function explainNotEntered(refusal: NotAuthenticated): string {
  switch (refusal.problem) {
    case 'missing':
      return 'The request is not signed: sign it with a credential of this server.';
    case 'unsupported':
      return 'The request is signed by a mechanism that is not supported: sign it with AWS4-HMAC-SHA256.';
    case 'twice':
      return 'The request is signed more than once: sign it in the Authorization header or in the query.';
    case 'malformed':
    case 'malformed-link':
      return refusal.detail;
    case 'unsigned-headers':
      return `These headers must be signed: ${refusal.names.join(', ')}.`;
    case 'skewed':
      return "The time of the request is too far from the server's time: set the clock of the client.";
    case 'expired':
      return 'The presigned request has expired: presign it anew.';
    case 'wrong-service':
      return `Credential should be scoped to correct service: '${refusal.expected}'.`;
    case 'mismatch':
      return 'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.';
    case 'bad-token':
      return 'The session token is not one of this server, or its credential is no longer valid: unset AWS_SESSION_TOKEN where the key is a credential of the server, or assume the role again.';
    case 'unknown-key':
      return 'The access key ID that the request is signed with does not exist here: check AWS_ACCESS_KEY_ID.';
  }
}
