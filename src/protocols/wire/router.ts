import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Caller } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { DoorReply, DoorRequest } from '../door.ts';
import { methodReply, problemReply } from './problem.ts';
import type { Route } from './route.ts';

/** No name in a path is longer: the id of a credential has 128 characters at most. */
const NAME_LENGTH_MAX = 256;

const METHODS: readonly HTTPMethod[] = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
const METHODS_KNOWN = new Set<string>(METHODS);

/** Finds the row of a table for a request, and has it answer. */
export class Router<Parts> {
  readonly #ways = findMyWay<never>({ caseSensitive: true, maxParamLength: NAME_LENGTH_MAX });
  readonly #unknown: DoorReply;

  /**
   * @param prefix what all paths of the table are under
   * @param unknown what to tell those whose path is in no row
   */
  constructor(
    routes: readonly Route<Parts>[],
    { prefix, unknown }: { readonly prefix: string; readonly unknown: string },
  ) {
    this.#unknown = problemReply('unknown', 'unknown-route', { status: 404, message: unknown });
    for (const route of routes) this.#ways.on(route.method, `${prefix}${route.path}`, () => undefined, route);
  }

  async answer(
    { house, parts, caller }: { readonly house: House; readonly parts: Parts; readonly caller: Caller },
    request: DoorRequest,
  ): Promise<DoorReply> {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = METHODS_KNOWN.has(method) ? this.#ways.find(method as HTTPMethod, request.path) : null;
    if (found === null || found.store === undefined || found.store === null) {
      const allowed = METHODS.filter((other) => this.#ways.find(other, request.path)?.store !== undefined);
      return allowed.length > 0 ? methodReply(allowed) : this.#unknown;
    }
    const route = found.store as Route<Parts>;
    const [name = ''] = Object.values(found.params);
    return route.handle({ house, parts, caller, request, name });
  }
}
