import type { AwsEntrance, Entered, NotEntered } from '../../aws/authenticate.ts';
import { parsePayloadMode, type PayloadMode } from '../../aws/payload.ts';
import { queryPairs } from '../../wire/uri.ts';
import type { DoorRequest } from '../../door.ts';

/** Someone whose signature is right, and how the body of the request is to be read. */
export interface Admitted extends Entered {
  readonly mode: PayloadMode;
}

export type NotAdmitted =
  | NotEntered
  /** `x-amz-content-sha256` is missing, or says what nobody understands. */
  | { readonly problem: 'no-payload-hash' };

/** A presigned request's body is not signed unless it says so. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Checks the signature of a request at S3, where the hash of the body is said in a header. */
export async function authenticate(
  request: DoorRequest,
  entrance: AwsEntrance,
): Promise<Admitted | NotAdmitted> {
  const presigned = request.header('authorization') === undefined;
  const said = request.header('x-amz-content-sha256') ?? (presigned ? hashInQuery(request.query) : '');
  const entered = await entrance.enter(request, said);
  if ('problem' in entered) return entered;
  const mode = parsePayloadMode(said);
  return mode === null ? { problem: 'no-payload-hash' } : { ...entered, mode };
}

/** Presigning clients move the header into the query. */
function hashInQuery(query: string): string {
  return queryPairs(query).find(([name]) => name === 'X-Amz-Content-Sha256')?.[1] ?? UNSIGNED;
}
