import type { Identity } from '../core/grant.ts';
import type { House } from '../house/house.ts';
import type { DoorRequest } from './door.ts';
import { sourceOf } from './caller.ts';
import { presentedBy } from './wire/authorization.ts';

/** Who asks: by Basic (id and secret), by Bearer (`id.secret`), or by a client certificate. null when nobody whom the house knows. */
export function authenticate(
  request: DoorRequest,
  house: House,
  door: { readonly name: string },
): Promise<Identity | null> {
  return house.identity.authenticate(presentedBy(request), sourceOf(door, request));
}
