import type { AwsAuthenticator, Authenticated, NotAuthenticated } from '../../aws/authenticate.ts';
import { parsePayloadMode, type PayloadMode } from '../../aws/payload.ts';
import { queryPairs } from '../../wire/uri.ts';
import { isLoopback } from '../../wire/loopback.ts';
import type { DoorRequest, S3Settings } from '../../door.ts';

/** Someone whose signature is right, and how the body of the request is to be read. */
export interface AuthenticatedRequest extends Authenticated {
  readonly mode: PayloadMode;
  /** Signed beforehand, in its URL. */
  readonly presigned: boolean;
}

export type NotAuthenticatedRequest =
  | NotAuthenticated
  /** `x-amz-content-sha256` is missing, or says what nobody understands. */
  | { readonly problem: 'no-payload-hash' }
  /** The body is neither signed nor encrypted on its way: anybody in between could change it. */
  | { readonly problem: 'unsigned-body' };

/** A presigned request's body is not signed unless it says so. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Checks the signature of a request at S3, where the hash of the body is said in a header. */
export async function authenticate(
  request: DoorRequest,
  authenticator: AwsAuthenticator,
  { unsignedBodies }: Pick<S3Settings, 'unsignedBodies'>,
): Promise<AuthenticatedRequest | NotAuthenticatedRequest> {
  const presigned = request.header('authorization') === undefined;
  const said = request.header('x-amz-content-sha256') ?? (presigned ? hashInQuery(request.query) : '');
  const authenticated = await authenticator.authenticate(request, said);
  if ('problem' in authenticated) return authenticated;
  const mode = parsePayloadMode(said);
  if (mode === null) return { problem: 'no-payload-hash' };
  if (!unsignedBodies && isOpenToChange(request, mode)) return { problem: 'unsigned-body' };
  return { ...authenticated, mode, presigned };
}

/**
 * Whether somebody between client and house could change the body. AWS's clients sign it unless they come over https, which
 * this house cannot see where a proxy ends TLS.
 */
function isOpenToChange(
  { secure, remoteAddress, contentLength, header }: DoorRequest,
  mode: PayloadMode,
): boolean {
  const isSigned = mode.mode === 'hashed' || (mode.mode === 'chunked' && mode.signed);
  if (isSigned || secure || isLoopback(remoteAddress)) return false;
  return contentLength === null ? header('transfer-encoding') !== undefined : contentLength > 0;
}

/** Presigning clients move the header into the query. */
function hashInQuery(query: string): string {
  return queryPairs(query).find(([name]) => name === 'X-Amz-Content-Sha256')?.[1] ?? UNSIGNED;
}
