import { OPENAPI_PATH } from '../../api/operations.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../protocols/door.ts';
import { callerOf, sourceOf } from '../../protocols/caller.ts';
import type { Presented } from '../../house/identity/presented.ts';
import { ENTER_ACTION } from '../../house/identity/authenticators.ts';
import {
  faultReply,
  problemReply,
  throttledReply,
  unauthenticatedReply,
} from '../../protocols/wire/problem.ts';
import type { ApiParts } from './parts.ts';
import type { ApiRouter } from './router.ts';
import { cookieOf, cookieProblem, presentedToApi, signsIn } from './session-cookie.ts';
import { readSignIn } from './sign-in.ts';

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
    const fromElsewhere = cookieProblem(request);
    if (fromElsewhere !== null) return fromElsewhere;
    if (!signsIn(request)) return this.#answer(request, presentedToApi(request));
    const { presented, request: again } = await readSignIn(request);
    return this.#answer(again, presented);
  }

  async #answer(request: DoorRequest, presented: Presented | null): Promise<DoorReply> {
    const { house } = this.#parts;
    const identity = await house.identity.authenticate(presented, sourceOf(this, request));
    if (identity === null) return unauthenticatedReply('unknown');
    const wait = request.admit(identity.subject);
    if (wait !== null) return this.throttled(request, wait);
    // The grace that lets an expired one bring its state home holds at the doors that states come by.
    const shut = house.gate.known(identity);
    if (shut !== null) {
      house.audit.refused(callerOf(identity, this, request), ENTER_ACTION, null, shut.type);
      return problemReply('unknown', 'expired', { status: 401, message: 'the credential has expired' });
    }
    const router = await this.#load();
    const reply = await router.answer(callerOf(identity, this, request), request);
    const renewed = house.pageSessions.renewed(identity);
    if (renewed === null || 'set-cookie' in reply.headers) return reply;
    return { ...reply, headers: { ...reply.headers, 'set-cookie': cookieOf(request, renewed) } };
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('unknown', message);
  }

  throttled(_request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return throttledReply('unknown', retryAfterSeconds);
  }

  /** The schemas are built when the first request comes, so that the house opens sooner. */
  #load(): Promise<ApiRouter> {
    this.#router ??= import('./router.ts').then((module) => new module.ApiRouter(this.#parts));
    return this.#router;
  }
}
