import findMyWay, { type HTTPMethod } from 'find-my-way';
import type { Caller } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { DoorReply, DoorRequest } from '../../protocols/door.ts';
import { problemReply } from '../../protocols/problem.ts';
import { describeApi } from './openapi.ts';
import type { ApiParts } from './parts.ts';
import { jsonTextReply } from './reply.ts';
import type { Route } from './route.ts';
import { ROUTES } from './table.ts';

export const API_PREFIX = '/api/v1';
/** The one path that needs no credential: it says nothing of this house. */
export const OPENAPI_PATH = '/api/openapi.json';

const METHODS: readonly HTTPMethod[] = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];
const METHODS_KNOWN = new Set<string>(METHODS);

/** Finds the row for a request, and has it answer. */
export class Router {
  readonly #parts: ApiParts;
  readonly #house: House;
  readonly #ways = findMyWay<never>({ caseSensitive: true });
  #document: string | null = null;

  constructor(parts: ApiParts) {
    this.#parts = parts;
    this.#house = parts.house;
    for (const route of ROUTES) {
      this.#ways.on(route.method, `${API_PREFIX}${route.path}`, () => undefined, route);
    }
  }

  /** The OpenAPI document. */
  document(request: DoorRequest): DoorReply {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodRefused(['GET']);
    this.#document ??= JSON.stringify(describeApi(ROUTES, this.#parts.about.version), null, 2);
    return jsonTextReply('openapi', this.#document);
  }

  async answer(caller: Caller, request: DoorRequest): Promise<DoorReply> {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = METHODS_KNOWN.has(method) ? this.#ways.find(method as HTTPMethod, request.path) : null;
    if (found === null || found.store === undefined || found.store === null) {
      const allowed = METHODS.filter((other) => this.#ways.find(other, request.path)?.store !== undefined);
      return allowed.length > 0 ? methodRefused(allowed) : UNKNOWN;
    }
    const route = found.store as Route;
    const [name = ''] = Object.values(found.params);
    return route.handle({ house: this.#house, parts: this.#parts, caller, request, name });
  }
}

const UNKNOWN: DoorReply = problemReply('unknown', 'unknown-route', {
  status: 404,
  message: `nothing is here: ${OPENAPI_PATH} lists what is`,
});

function methodRefused(allowed: readonly string[]): DoorReply {
  const message = `this is done with ${allowed.join(', ')}`;
  const reply = problemReply('unknown', 'method', { status: 405, message });
  return { ...reply, headers: { ...reply.headers, allow: allowed.join(', ') } };
}
