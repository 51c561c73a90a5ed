import type { Identity } from '../../../core/access.ts';
import type { House } from '../../../house/house.ts';
import type { DoorRequest } from '../../door.ts';

/** Who asks: by Basic (id and secret) or by Bearer (`id.secret`). null when nobody whom the house knows. */
export function authenticate(request: DoorRequest, house: House): Promise<Identity | null> {
  return house.credentials.fromAuthorization(request.header('authorization'));
}
