import type { House } from '../../../house/house.ts';
import { AwsAuthenticator } from '../../aws/authenticate.ts';
import { readBody } from '../../wire/read-body.ts';
import type { Door, DoorReply, DoorRequest } from '../../door.ts';
import { REQUEST_BYTES_MAX } from '../layout.ts';
import { authenticate } from './auth.ts';
import { detect } from './detect.ts';
import { error, errorReply, expired, notAuthenticated, throttled, unknownAction } from './errors.ts';
import { OPERATIONS, SERVICE_OF } from './operations.ts';

/** The door for what AWS's clients ask besides S3 and DynamoDB: who they are. */
export class StsDoor implements Door {
  readonly name = 'sts';
  readonly routes = { aws: 'query' } as const;
  readonly #house: House;
  readonly #authenticator: AwsAuthenticator;

  /** @param now the machine's clock */
  constructor(house: House, now: () => number) {
    this.#house = house;
    this.#authenticator = new AwsAuthenticator(this, house, { now, service: null });
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const claimed = await this.#authenticator.foresee(request);
    if ('problem' in claimed) return errorReply(request, 'unknown', notAuthenticated(claimed));
    if (this.#house.gate.known(claimed.identity) !== null) return errorReply(request, 'unknown', expired());
    const body = await readBody(request, REQUEST_BYTES_MAX);
    if (body === null)
      return errorReply(request, 'unknown', error('RequestEntityTooLarge', 'too large', 413));
    const operation = detect(request, body);
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
    return OPERATIONS[operation](authenticated, request);
  }

  fault(request: DoorRequest, message: string): DoorReply {
    return errorReply(request, 'unknown', error('ServiceUnavailable', message, 503));
  }

  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply(request, 'unknown', throttled(retryAfterSeconds));
  }
}
