import type { Identity } from '../core/grant.ts';
import { lockInAgent } from '../core/lent-lock.ts';
import { originOf } from '../core/origin.ts';
import type { Caller } from '../house/caller.ts';
import type { Source } from '../house/identity/authenticators.ts';
import type { DoorRequest } from './door.ts';
import { userLock } from './wire/authorization.ts';

type Facts = Omit<Parameters<typeof originOf>[0], 'credential'>;

/** Where a request to a door came from, while it is not known who sent it. */
export function sourceOf(
  { name }: { readonly name: string },
  request: Pick<DoorRequest, 'id' | 'peer' | 'header'>,
): Source {
  return {
    door: name,
    // Nearly everybody is known, and then it is not asked for.
    get origin() {
      return originOf(facts(request));
    },
  };
}

/** The caller that a request comes from, at a door, once it is known who it is. */
export function callerOf(
  identity: Identity,
  { name }: { readonly name: string },
  request: Pick<DoorRequest, 'id' | 'peer' | 'header'>,
  { presigned = false }: { readonly presigned?: boolean } = {},
): Caller {
  const origin = originOf({ credential: identity.credentialId, ...facts(request) });
  return {
    identity,
    door: name,
    peer: request.peer,
    origin: presigned ? { ...origin, presigned } : origin,
    ...lentTo(request),
  };
}

/** The lock that the program says it runs under: by its user name, or by its user agent. */
function lentTo({ header }: Pick<DoorRequest, 'header'>): Pick<Caller, 'lent'> {
  const lent = userLock(header('authorization')) ?? lockInAgent(header('user-agent') ?? '');
  return lent === null ? {} : { lent };
}

function facts({ id, peer, header }: Pick<DoorRequest, 'id' | 'peer' | 'header'>): Facts {
  return { peer, requestId: id, userAgent: header('user-agent') };
}
