import type { House } from '../../../house/house.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../door.ts';
import { faultReply, throttledReply, unauthenticatedReply } from '../../wire/problem.ts';
import { PATH_PREFIX } from '../layout.ts';
import { authenticate } from './auth.ts';
import { detect } from './detect.ts';
import { undetected } from './errors.ts';
import { OPERATIONS } from './operations.ts';

/** The door for Terraform's `backend "http"`, and for anything that can send an HTTP request. */
export class HttpDoor implements Door {
  readonly name = 'http';
  readonly routes: DoorRoutes = { paths: [`${PATH_PREFIX}*`] };
  readonly #house: House;

  constructor(house: House) {
    this.#house = house;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const identity = await authenticate(request, this.#house, this);
    if (identity === null) return unauthenticatedReply('unknown');
    const wait = request.admit(identity.subject);
    if (wait !== null) return this.throttled(request, wait);
    const asked = detect(request);
    if ('problem' in asked) return undetected(asked);
    const caller = callerOf(identity, this, request);
    return OPERATIONS[asked.operation]({ house: this.#house, caller, request, asked });
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('unknown', message);
  }

  throttled(_request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return throttledReply('unknown', retryAfterSeconds);
  }
}
