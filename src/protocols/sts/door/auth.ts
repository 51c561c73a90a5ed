import type { AwsEntrance, Entered, NotEntered } from '../../aws/authenticate.ts';
import { sha256Hex } from '../../aws/canonical.ts';
import type { DoorRequest } from '../../door.ts';

/** Checks the signature of a request, which covers its whole body. */
export async function authenticate(
  request: DoorRequest,
  body: Uint8Array,
  entrance: AwsEntrance,
): Promise<Entered | NotEntered> {
  return entrance.enter(request, sha256Hex(body));
}
