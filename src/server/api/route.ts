import * as wire from '../../protocols/wire/route.ts';
import type { ApiParts } from './parts.ts';

export { NO_BODY, NO_QUERY, type Answer } from '../../protocols/wire/route.ts';

/** What one route of this API is given. */
export type Call<Query, Body> = wire.Call<ApiParts, Query, Body>;
/** One row of this API's table, ready to be routed to. */
export type Route = wire.Route<ApiParts>;

export function defineRoute<Query, Body>(row: wire.RouteRow<ApiParts, Query, Body>): Route {
  return wire.defineRoute(row);
}
