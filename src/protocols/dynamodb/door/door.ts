import type { House } from '../../../house/house.ts';
import { AwsAuthenticator } from '../../aws/authenticate.ts';
import type { LockObjects } from '../../lock-object/lock-objects.ts';
import { readBody } from '../../wire/read-body.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest } from '../../door.ts';
import { REQUEST_BYTES_MAX } from '../layout.ts';
import { authenticate } from './auth.ts';
import type { Answer } from './call.ts';
import { detect, type Operation } from './detect.ts';
import { errorReply, invalid, jsonReply, notAuthenticated, throttled, type DynamoError } from './errors.ts';
import { problemOf } from './expressions.ts';

/** Bytes of a request that DynamoDB itself takes (developer guide, "Service, account, and table quotas"). */
const REAL_BYTES_MAX = 16 * 1024 * 1024;

/** The door for the lock table of Terraform's `backend "s3"` (`dynamodb_table`), and for AWS's own clients of DynamoDB. */
export class DynamoDbDoor implements Door {
  readonly name = 'dynamodb';
  readonly routes = { aws: 'dynamodb' } as const;
  readonly #house: House;
  readonly #locks: LockObjects;
  readonly #authenticator: AwsAuthenticator;
  readonly #account: string;

  /**
   * @param now the machine's clock
   * @param account the account that tables belong to
   */
  constructor(
    house: House,
    { locks, now, account }: { locks: LockObjects; now: () => number; account: string },
  ) {
    this.#house = house;
    this.#account = account;
    this.#locks = locks;
    this.#authenticator = new AwsAuthenticator(this, house, { now, service: 'dynamodb' });
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const operation = detect(request);
    const answer = await this.#answer(request, operation);
    if ('error' in answer) return errorReply(request, operation ?? 'unknown', answer);
    const { content, undelivered } = answer;
    const reply = jsonReply(request, operation ?? 'unknown', content);
    return undelivered === undefined ? reply : { ...reply, undelivered };
  }

  fault(request: DoorRequest, message: string): DoorReply {
    return errorReply(request, 'unknown', { error: 'ServiceUnavailable', status: 503, message });
  }

  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply(request, 'unknown', throttled(retryAfterSeconds));
  }

  async #answer(request: DoorRequest, operation: Operation | null): Promise<Answer> {
    const claimed = await this.#authenticator.foresee(request);
    if ('problem' in claimed) return notAuthenticated(claimed);
    const body = await readBody(request, REQUEST_BYTES_MAX);
    if (body === null) return tooLarge(request);
    const authenticated = await authenticate(request, body, this.#authenticator);
    if ('problem' in authenticated) return notAuthenticated(authenticated);
    const wait = request.admit(authenticated.identity.subject);
    if (wait !== null) return throttled(wait);
    if (operation === null) {
      return { error: 'UnknownOperationException', message: 'This operation is not supported.' };
    }
    let asked: unknown;
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
      // A reviver goes in as deep as the text does, and costs as much again.
      asked = text.includes('null') ? JSON.parse(text, withoutNull) : JSON.parse(text);
    } catch {
      return { error: 'SerializationException', message: 'The body is not JSON.' };
    }
    const call = {
      house: this.#house,
      locks: this.#locks,
      caller: callerOf(authenticated.identity, this, request),
      request,
      region: authenticated.verified.signature.scope.region,
      account: authenticated.identity.session?.account ?? this.#account,
    };
    try {
      // Not before the first request: its schemas take longer to build than the house to open.
      const { OPERATIONS } = await import('./operations.ts');
      return await OPERATIONS[operation](call, asked);
    } catch (problem) {
      return problemOf(problem);
    }
  }
}

/** Up to its own limit the real service looks into a request, and says what in it is too large. */
function tooLarge({ contentLength }: DoorRequest): DynamoError {
  const problem = invalid(`The request is too large: expected at most ${REQUEST_BYTES_MAX} bytes.`);
  return (contentLength ?? 0) > REAL_BYTES_MAX ? { ...problem, status: 413 } : problem;
}

/** A member that is null is the same as none, as at the real service. */
function withoutNull(_name: string, value: unknown): unknown {
  return value === null ? undefined : value;
}
