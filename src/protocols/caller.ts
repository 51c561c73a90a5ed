import type { Identity } from '../core/grant.ts';
import { originOf } from '../core/origin.ts';
import type { Caller } from '../house/caller.ts';
import type { DoorRequest } from './door.ts';

/** The caller that a request comes from, at a door, once it is known who it is. */
export function callerOf(
  identity: Identity,
  { name }: { readonly name: string },
  request: Pick<DoorRequest, 'id' | 'peer' | 'header'>,
): Caller {
  const { id, peer } = request;
  const known = {
    credential: identity.credentialId,
    peer,
    requestId: id,
    userAgent: request.header('user-agent'),
  };
  return { identity, door: name, peer, origin: originOf(known) };
}
