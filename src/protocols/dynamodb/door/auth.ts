import type { AwsAuthenticator, Authenticated, NotAuthenticated } from '../../aws/authenticate.ts';
import type { DoorRequest } from '../../door.ts';

/** Who signed this request and its body. */
export function authenticate(
  request: DoorRequest,
  body: Uint8Array,
  authenticator: AwsAuthenticator,
): Promise<Authenticated | NotAuthenticated> {
  return authenticator.authenticateWithBody(request, body);
}
