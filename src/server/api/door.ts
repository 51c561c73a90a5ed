import { OPENAPI_PATH } from '../../api/operations.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../protocols/door.ts';
import { callerOf } from '../../protocols/caller.ts';
import { readAuthorization } from '../../protocols/wire/authorization.ts';
import { faultReply, problemReply, unauthenticatedReply } from '../../protocols/wire/problem.ts';
import type { ApiParts } from './parts.ts';
import type { ApiRouter } from './router.ts';

/** The house's own API: for its command line, its page, and whoever wants to know more than a backend tells. */
export class ApiDoor implements Door {
  readonly name = 'api';
  readonly routes: DoorRoutes = { paths: ['/api/*'] };
  readonly #parts: ApiParts;
  #router: Promise<ApiRouter> | null = null;

  constructor(parts: ApiParts) {
    this.#parts = parts;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    if (request.path === OPENAPI_PATH) return (await this.#load()).document(request);
    const presented = readAuthorization(request.header('authorization'));
    const identity = await this.#parts.house.identity.authenticate(presented);
    if (identity === null) return unauthenticatedReply('unknown');
    // The grace that lets an expired one bring its state home holds at the doors that states come by.
    if (identity.expired) {
      return problemReply('unknown', 'expired', { status: 401, message: 'the credential has expired' });
    }
    const router = await this.#load();
    return router.answer(callerOf(identity, this, request), request);
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('unknown', message);
  }

  /** The schemas are built when the first request comes, so that the house opens sooner. */
  #load(): Promise<ApiRouter> {
    this.#router ??= import('./router.ts').then((module) => new module.ApiRouter(this.#parts));
    return this.#router;
  }
}
