import type { House } from '../../../house/house.ts';
import { AwsEntrance } from '../../aws/authenticate.ts';
import { readBody } from '../../wire/read-body.ts';
import type { Door, DoorReply, DoorRequest } from '../../door.ts';
import { REQUEST_BYTES_MAX } from '../layout.ts';
import { authenticate } from './auth.ts';
import { detect } from './detect.ts';
import { error, errorReply, notEntered, unknownAction } from './errors.ts';
import { OPERATIONS } from './operations.ts';

/** The door for what AWS's clients ask besides S3 and DynamoDB: who they are. */
export class StsDoor implements Door {
  readonly name = 'sts';
  readonly routes = { aws: 'query' } as const;
  readonly #entrance: AwsEntrance;

  /** @param now the machine's clock */
  constructor(house: House, now: () => number) {
    this.#entrance = new AwsEntrance(house, now);
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const body = await readBody(request, REQUEST_BYTES_MAX);
    if (body === null) return errorReply('unknown', error('RequestEntityTooLarge', 'too large', 413));
    const operation = detect(request, body);
    const entered = await authenticate(request, body, this.#entrance);
    if ('problem' in entered) return errorReply(operation ?? 'unknown', notEntered(entered));
    if (entered.identity.expired) {
      return errorReply('unknown', error('ExpiredToken', 'The credential has expired.'));
    }
    return operation === null ? errorReply('unknown', unknownAction()) : OPERATIONS[operation](entered);
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return errorReply('unknown', error('ServiceUnavailable', message, 503));
  }
}
