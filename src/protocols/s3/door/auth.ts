import type { AwsAuthenticator, Authenticated, NotAuthenticated } from '../../aws/authenticate.ts';
import { parsePayloadMode, type PayloadMode } from '../../aws/payload.ts';
import { queryPairs } from '../../wire/uri.ts';
import type { DoorRequest } from '../../door.ts';

/** Someone whose signature is right, and how the body of the request is to be read. */
export interface AuthenticatedRequest extends Authenticated {
  readonly mode: PayloadMode;
  /** Signed beforehand, in its URL. */
  readonly presigned: boolean;
}

export type NotAuthenticatedRequest =
  | NotAuthenticated
  /** `x-amz-content-sha256` is missing, or says what nobody understands. */
  | { readonly problem: 'no-payload-hash' };

/** A presigned request's body is not signed unless it says so. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Checks the signature of a request at S3, where the hash of the body is said in a header. */
export async function authenticate(
  request: DoorRequest,
  authenticator: AwsAuthenticator,
): Promise<AuthenticatedRequest | NotAuthenticatedRequest> {
  const presigned = request.header('authorization') === undefined;
  const said = request.header('x-amz-content-sha256') ?? (presigned ? hashInQuery(request.query) : '');
  const authenticated = await authenticator.authenticate(request, said);
  if ('problem' in authenticated) return authenticated;
  const mode = parsePayloadMode(said);
  return mode === null ? { problem: 'no-payload-hash' } : { ...authenticated, mode, presigned };
}

/** Presigning clients move the header into the query. */
function hashInQuery(query: string): string {
  return queryPairs(query).find(([name]) => name === 'X-Amz-Content-Sha256')?.[1] ?? UNSIGNED;
}
