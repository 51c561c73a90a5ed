import type { House } from '../../../house/house.ts';
import { authenticate } from './auth.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../door.ts';
import type { LockObjects } from '../../lock-object/lock-objects.ts';
import { DOWNLOAD_PREFIX, JSON_PREFIX, RESUMABLE_PREFIX, TOKEN_PATH, UPLOAD_PREFIX } from '../layout.ts';
import { UploadProblem, type Answer } from './call.ts';
import { detect } from './detect.ts';
import { errorReply, invalid, slowDown, unauthenticated, unavailable, undetected } from './errors.ts';
import { OPERATIONS } from './operations.ts';
import { exchangeKey } from './token.ts';
import { refuseUndone } from './undone.ts';
import { Checksums } from './checksums.ts';

/** The door for Terraform's `backend "gcs"`, and for Google's own clients of Cloud Storage. */
export class GcsDoor implements Door {
  readonly name = 'gcs';
  readonly routes: DoorRoutes = {
    paths: [
      TOKEN_PATH,
      ...[JSON_PREFIX, UPLOAD_PREFIX, RESUMABLE_PREFIX, DOWNLOAD_PREFIX].map((prefix) => `${prefix}*`),
    ],
    bearer: true,
  };
  readonly #house: House;
  readonly #locks: LockObjects;
  readonly #checksums = new Checksums();

  constructor(house: House, { locks }: { locks: LockObjects }) {
    this.#house = house;
    this.#locks = locks;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    if (request.path === TOKEN_PATH) return exchangeKey(this.#house, this, request);
    const asked = detect(request);
    const answer = await this.#answer(request, asked);
    const operation = 'operation' in asked ? asked.operation : 'unknown';
    return 'reason' in answer ? errorReply(operation, answer, asked.xml) : answer;
  }

  fault(request: DoorRequest, message: string): DoorReply {
    return errorReply('unknown', unavailable(message), detect(request).xml);
  }

  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply('unknown', slowDown(retryAfterSeconds), detect(request).xml);
  }

  async #answer(request: DoorRequest, asked: ReturnType<typeof detect>): Promise<Answer> {
    const identity = await authenticate(request, this.#house, this);
    if (identity === null) return unauthenticated();
    const wait = request.admit(identity.subject);
    if (wait !== null) return slowDown(wait);
    if ('problem' in asked) return undetected(asked);
    const undone = refuseUndone(request, asked.query);
    if (undone !== null) return undone;
    const caller = callerOf(identity, this, request);
    try {
      return await OPERATIONS[asked.operation]({
        house: this.#house,
        locks: this.#locks,
        checksums: this.#checksums,
        caller,
        request,
        asked,
      });
    } catch (problem) {
      if (problem instanceof UploadProblem) return invalid(problem.message);
      throw problem;
    }
  }
}
