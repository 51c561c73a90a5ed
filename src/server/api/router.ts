import { API_PREFIX, OPENAPI_PATH } from '../../api/operations.ts';
import type { Caller } from '../../house/caller.ts';
import type { DoorReply, DoorRequest } from '../../protocols/door.ts';
import { jsonTextReply } from '../../protocols/wire/json-reply.ts';
import { methodReply } from '../../protocols/wire/problem.ts';
import { Router } from '../../protocols/wire/router.ts';
import { describeApi } from './openapi.ts';
import type { ApiParts } from './parts.ts';
import { ROUTES } from './table.ts';

/** The routes of the API, and the document that describes them. */
export class ApiRouter {
  readonly #parts: ApiParts;
  readonly #router: Router<ApiParts> = new Router(ROUTES, {
    prefix: API_PREFIX,
    unknown: `not found: ${OPENAPI_PATH} lists the paths of the API`,
  });
  #document: string | null = null;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  /** The OpenAPI document. */
  document(request: DoorRequest): DoorReply {
    if (request.method !== 'GET' && request.method !== 'HEAD') return methodReply(['GET']);
    this.#document ??= JSON.stringify(describeApi(ROUTES, this.#parts.about.version), null, 2);
    return jsonTextReply('openapi', this.#document);
  }

  answer(caller: Caller, request: DoorRequest): Promise<DoorReply> {
    return this.#router.answer({ house: this.#parts.house, parts: this.#parts, caller }, request);
  }
}
