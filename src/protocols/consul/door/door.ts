import type { House } from '../../../house/house.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../door.ts';
import { API_PREFIX } from '../layout.ts';
import { authenticate } from './auth.ts';
import type { Answer } from './call.ts';
import { ChangeWatch } from './change-watch.ts';
import { detect } from './detect.ts';
import { errorReply, invalid, slowDown, unauthenticated, unavailable, undetected } from './errors.ts';
import { OPERATIONS } from './operations.ts';
import { Processes } from './processes.ts';
import { Sessions } from './sessions.ts';
import { ShownRefusals } from './shown-refusals.ts';
import { ValueProblem } from './value.ts';

/** The door for Terraform's `backend "consul"`, and for Consul's own clients of keys and sessions. */
export class ConsulDoor implements Door {
  readonly name = 'consul';
  readonly routes: DoorRoutes = {
    paths: [`${API_PREFIX}*`],
  };
  readonly #house: House;
  readonly #sessions: Sessions;
  readonly #processes = new Processes();
  readonly #refusals: ShownRefusals;
  readonly #changes: ChangeWatch;

  constructor(house: House, { now, closing }: { now: () => number; closing: AbortSignal }) {
    this.#house = house;
    this.#sessions = new Sessions(house);
    this.#refusals = new ShownRefusals(this.#processes, now);
    this.#changes = new ChangeWatch(house, closing);
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const asked = detect(request);
    const answer = await this.#answer(request, asked);
    const operation = 'operation' in asked ? asked.operation : 'unknown';
    return 'message' in answer ? errorReply(operation, answer) : answer;
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return errorReply('unknown', unavailable(message));
  }

  throttled(_request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply('unknown', slowDown(retryAfterSeconds));
  }

  async #answer(request: DoorRequest, asked: ReturnType<typeof detect>): Promise<Answer> {
    const identity = await authenticate(request, this.#house, this);
    if (identity === null) return unauthenticated();
    const wait = request.admit(identity.subject);
    if (wait !== null) return slowDown(wait);
    if ('problem' in asked) return undetected(asked);
    try {
      return await OPERATIONS[asked.operation]({
        house: this.#house,
        sessions: this.#sessions,
        processes: this.#processes,
        refusals: this.#refusals,
        changes: this.#changes,
        caller: callerOf(identity, this, request),
        request,
        asked,
      });
    } catch (problem) {
      if (problem instanceof ValueProblem) return invalid(problem.message);
      throw problem;
    }
  }
}
