import type { House } from '../../../house/house.ts';
import { AwsAuthenticator } from '../../aws/authenticate.ts';
import type { LockObjects } from '../../lock-object/lock-objects.ts';
import { PayloadProblem } from '../../aws/payload-problem.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest, S3Settings } from '../../door.ts';
import { authenticate } from './auth.ts';
import type { Answer } from './call.ts';
import { detect } from './detect.ts';
import { encryptionProblem } from './encryption.ts';
import { brokenPayload, errorReply, notAdmitted, slowDown, undetected } from './errors.ts';
import { refuseUnknown, withMovedHeaders } from './known.ts';
import { OPERATIONS } from './operations.ts';
import { notDone, saying, undoneByHeaders } from './undone.ts';

/** The door for Terraform's `backend "s3"`, and for AWS's own clients of S3. */
export class S3Door implements Door {
  readonly name = 's3';
  readonly routes = { aws: 's3' } as const;
  readonly #house: House;
  readonly #locks: LockObjects;
  readonly #authenticator: AwsAuthenticator;
  readonly #domain: string | null;
  readonly #settings: S3Settings;

  /**
   * @param now the machine's clock
   * @param domain the name under which the house is reached, so that a name before it is a bucket's
   */
  constructor(
    house: House,
    {
      locks,
      now,
      domain,
      settings,
    }: { locks: LockObjects; now: () => number; domain: string | null; settings: S3Settings },
  ) {
    this.#house = house;
    this.#locks = locks;
    this.#authenticator = new AwsAuthenticator(this, house, { now, service: 's3' });
    this.#domain = domain;
    this.#settings = settings;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const asked = detect(request, this.#domain);
    const operation = 'operation' in asked ? asked.operation : 'unknown';
    const answer = await this.#answer(request, asked);
    return 'code' in answer ? errorReply(request, said(operation, request), answer) : answer;
  }

  fault(request: DoorRequest, message: string): DoorReply {
    const error = { status: 503, code: 'ServiceUnavailable', message, headers: { 'retry-after': '1' } };
    return errorReply(request, said('unknown', request), error);
  }

  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply(request, said('unknown', request), slowDown(retryAfterSeconds));
  }

  async #answer(received: DoorRequest, asked: ReturnType<typeof detect>): Promise<Answer> {
    const authenticatedRequest = await authenticate(received, this.#authenticator, this.#settings);
    if ('problem' in authenticatedRequest) return notAdmitted(authenticatedRequest);
    const wait = received.admit(authenticatedRequest.identity.subject);
    if (wait !== null) return slowDown(wait);
    if ('problem' in asked) return undetected(asked);
    const caller = callerOf(authenticatedRequest.identity, this, received, authenticatedRequest);
    const request = withMovedHeaders(received, asked.query);
    const unknown = refuseUnknown(request, asked) ?? encryptionProblem(request);
    if (unknown !== null) return unknown;
    const { strict, deleteVersions } = this.#settings;
    const undone = undoneByHeaders(
      request,
      authenticatedRequest.identity.session?.account ?? this.#settings.account,
    );
    if (strict && undone.length > 0) return notDone(undone);
    const [house, locks] = [this.#house, this.#locks];
    const call = { house, locks, strict, deleteVersions, caller, authenticatedRequest, request, asked };
    try {
      const answer = await OPERATIONS[asked.operation](call);
      return undone.length === 0 || 'code' in answer ? answer : saying(answer, undone);
    } catch (problem) {
      if (problem instanceof PayloadProblem) return brokenPayload(problem);
      throw problem;
    }
  }
}

/** An answer to a HEAD request has no body, whatever was asked. */
function said(operation: string, { method }: DoorRequest): string {
  return method === 'HEAD' && operation === 'unknown' ? 'HeadUnknown' : operation;
}
