import type { House } from '../../../house/house.ts';
import { AwsAuthenticator } from '../../aws/authenticate.ts';
import { readBody } from '../../wire/read-body.ts';
import type { Door, DoorReply, DoorRequest } from '../../door.ts';
import { REQUEST_BYTES_MAX } from '../layout.ts';
import { authenticate } from './auth.ts';
import { detect } from './detect.ts';
import { error, errorReply, notAuthenticated, unknownAction } from './errors.ts';
import { OPERATIONS } from './operations.ts';

/** The door for what AWS's clients ask besides S3 and DynamoDB: who they are. */
export class StsDoor implements Door {
  readonly name = 'sts';
  readonly routes = { aws: 'query' } as const;
  readonly #authenticator: AwsAuthenticator;

  /** @param now the machine's clock */
  constructor(house: House, now: () => number) {
    this.#authenticator = new AwsAuthenticator(house, now);
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const body = await readBody(request, REQUEST_BYTES_MAX);
    if (body === null)
      return errorReply(request, 'unknown', error('RequestEntityTooLarge', 'too large', 413));
    const operation = detect(request, body);
    const authenticated = await authenticate(request, body, this.#authenticator);
    if ('problem' in authenticated)
      return errorReply(request, operation ?? 'unknown', notAuthenticated(authenticated));
    if (authenticated.identity.expired) {
      return errorReply(request, 'unknown', error('ExpiredToken', 'The credential has expired.'));
    }
    return operation === null
      ? errorReply(request, 'unknown', unknownAction())
      : OPERATIONS[operation](authenticated, request);
  }

  fault(request: DoorRequest, message: string): DoorReply {
    return errorReply(request, 'unknown', error('ServiceUnavailable', message, 503));
  }
}
