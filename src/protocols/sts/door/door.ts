import type { House } from '../../../house/house.ts';
import { AwsAuthenticator } from '../../aws/authenticate.ts';
import { readBody } from '../../wire/read-body.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest, S3Settings } from '../../door.ts';
import { REQUEST_BYTES_MAX } from '../layout.ts';
import { authenticate } from './auth.ts';
import { detect } from './detect.ts';
import {
  error,
  errorReply,
  expired,
  notAuthenticated,
  notSigned,
  throttled,
  unknownAction,
} from './errors.ts';
import { OPERATIONS, SERVICE_OF } from './operations.ts';

/** The door for what AWS's clients ask besides S3 and DynamoDB: who they are. */
export class StsDoor implements Door {
  readonly name = 'sts';
  readonly routes = { aws: 'query' } as const;
  readonly #house: House;
  readonly #authenticator: AwsAuthenticator;
  readonly #settings: Pick<S3Settings, 'account' | 'strict'>;

  /** @param now the machine's clock */
  constructor(
    house: House,
    { now, settings }: { now: () => number; settings: Pick<S3Settings, 'account' | 'strict'> },
  ) {
    this.#house = house;
    this.#settings = settings;
    this.#authenticator = new AwsAuthenticator(this, house, { now, service: null });
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const claimed = await this.#authenticator.foresee(request);
    if ('problem' in claimed) {
      const refusal = claimed.problem === 'missing' ? notSigned() : notAuthenticated(claimed);
      return errorReply(request, 'unknown', refusal);
    }
    if (this.#house.gate.known(claimed.identity) !== null) return errorReply(request, 'unknown', expired());
    const body = await readBody(request, REQUEST_BYTES_MAX);
    if (body === null)
      return errorReply(request, 'unknown', error('RequestEntityTooLarge', 'too large', 413));
    const { operation, parameters } = detect(request, body);
    const authenticated = await authenticate(request, body, this.#authenticator);
    if ('problem' in authenticated)
      return errorReply(request, operation ?? 'unknown', notAuthenticated(authenticated));
    const { identity, verified } = authenticated;
    if (this.#house.gate.known(identity) !== null) return errorReply(request, 'unknown', expired());
    const wait = request.admit(identity.subject);
    if (wait !== null) return this.throttled(request, wait);
    if (operation === null) return errorReply(request, 'unknown', unknownAction());
    const expected = SERVICE_OF[operation];
    if (verified.signature.scope.service !== expected) {
      return errorReply(request, operation, notAuthenticated({ problem: 'wrong-service', expected }));
    }
    const [house, settings] = [this.#house, this.#settings];
    const caller = callerOf(identity, this, request);
    const call = { house, caller, authenticated, request, parameters, settings };
    const answer = await OPERATIONS[operation](call);
    return 'code' in answer ? errorReply(request, operation, answer) : answer;
  }

  fault(request: DoorRequest, message: string): DoorReply {
    return errorReply(request, 'unknown', error('ServiceUnavailable', message, 503));
  }

  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply(request, 'unknown', throttled(retryAfterSeconds));
  }
}
