import type { AwsEntrance, Entered, NotEntered } from '../../aws/authenticate.ts';
import type { DoorRequest } from '../../door.ts';

/** Who signed this request and its body. */
export function authenticate(
  request: DoorRequest,
  body: Uint8Array,
  entrance: AwsEntrance,
): Promise<Entered | NotEntered> {
  return entrance.enterWith(request, body);
}
