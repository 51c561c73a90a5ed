import type { Identity } from '../../../core/grant.ts';
import type { House } from '../../../house/house.ts';
import { sourceOf } from '../../caller.ts';
import type { DoorRequest } from '../../door.ts';
import { presentedBy } from '../../wire/authorization.ts';
import { readQuery } from '../../wire/uri.ts';

/**
 * Who asks: a token is `id.secret`, in `X-Consul-Token`, in the query, or as a bearer's; without one, whom `http_auth` names, or the
 * client's certificate. null when nobody whom the house knows.
 */
export function authenticate(
  request: DoorRequest,
  house: House,
  door: { readonly name: string },
): Promise<Identity | null> {
  const token = request.header('x-consul-token') ?? tokenIn(request.query);
  const presented = token === '' ? presentedBy(request) : ({ kind: 'bearer', token } as const);
  return house.identity.authenticate(presented, sourceOf(door, request));
}

/** Spelled as it is, so that whoever guesses tokens is seen to. */
function tokenIn(query: string): string {
  return /(?:^|&)token=/.test(query) ? (readQuery(query)?.get('token') ?? '') : '';
}
