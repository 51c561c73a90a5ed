import type { House } from '../../../house/house.ts';
import { callerOf } from '../../caller.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../door.ts';
import { AZURE_PREFIX, METADATA_PATH } from '../layout.ts';
import { Authenticator } from './auth.ts';
import { Blocks } from './blocks.ts';
import { BodyProblem, type Answer } from './call.ts';
import { detect, isAtBlobHost } from './detect.ts';
import { Environment, isEnvironmentPath, TENANT_PREFIX } from './environment.ts';
import { errorReply, slowDown, unavailable, undetected } from './errors.ts';
import { FirstBlobs } from './first-blobs.ts';
import { LeaseTerms } from './lease-terms.ts';
import { OPERATIONS } from './operations.ts';
import { ShownRefusals } from './shown-refusals.ts';
import { refuseUndone, serviceVersion } from './undone.ts';

/** The door for Terraform's `backend "azurerm"`, and for Azure's own clients of Blob Storage. */
export class AzurermDoor implements Door {
  readonly name = 'azurerm';
  readonly routes: DoorRoutes = {
    paths: [`${AZURE_PREFIX}*`, METADATA_PATH, `${TENANT_PREFIX}*`],
    takes: (request) => isAtBlobHost(request, this.#domain),
    header: 'x-ms-version',
  };
  readonly #domain: string | null;
  readonly #house: House;
  readonly #authenticator: Authenticator;
  readonly #environment: Environment;
  readonly #refusals: ShownRefusals;
  readonly #leases = new LeaseTerms();
  readonly #blocks: Blocks;
  readonly #firstBlobs: FirstBlobs;

  /**
   * @param now the machine's clock, which clients' clocks are compared with
   * @param domain the name under which the house is reached, so that names before it are accounts' hosts
   */
  constructor(house: House, settings: { now: () => number; domain: string | null; unsignedBodies: boolean }) {
    this.#house = house;
    this.#domain = settings.domain;
    this.#authenticator = new Authenticator(house, this, settings);
    this.#environment = new Environment(house, this);
    this.#refusals = new ShownRefusals(settings.now);
    this.#blocks = new Blocks(house);
    this.#firstBlobs = new FirstBlobs(settings.now);
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    if (isEnvironmentPath(request.path) && !isAtBlobHost(request, this.#domain))
      return this.#environment.answer(request);
    const asked = detect(request, this.#domain);
    const answer = await this.#answer(request, asked);
    const operation = 'operation' in asked ? asked.operation : 'unknown';
    return named(request, 'code' in answer ? errorReply(operation, answer, request) : answer);
  }

  fault(request: DoorRequest, message: string): DoorReply {
    return named(request, errorReply('unknown', unavailable(message), request));
  }

  throttled(request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return named(request, errorReply('unknown', slowDown(retryAfterSeconds), request));
  }

  async #answer(request: DoorRequest, asked: ReturnType<typeof detect>): Promise<Answer> {
    const authenticated = await this.#authenticator.authenticate(request, asked);
    if ('code' in authenticated) return authenticated;
    const { identity } = authenticated;
    const wait = request.admit(identity.subject);
    if (wait !== null) return slowDown(wait);
    if ('problem' in asked) return undetected(asked);
    const undone = refuseUndone(request);
    if (undone !== null) return undone;
    try {
      return await OPERATIONS[asked.operation]({
        house: this.#house,
        refusals: this.#refusals,
        leases: this.#leases,
        blocks: this.#blocks,
        firstBlobs: this.#firstBlobs,
        caller: callerOf(identity, this, request, authenticated),
        request,
        asked,
      });
    } catch (problem) {
      if (problem instanceof BodyProblem) return problem.error;
      throw problem;
    }
  }
}

/** What every answer says: which request it is to, and by which version of the service. */
function named(request: DoorRequest, reply: DoorReply): DoorReply {
  const own = request.header('x-ms-client-request-id');
  return {
    ...reply,
    headers: {
      'x-ms-request-id': request.id,
      'x-ms-version': serviceVersion(request),
      ...(own === undefined || !/^[\x21-\x7e]{1,100}$/.test(own) ? {} : { 'x-ms-client-request-id': own }),
      ...reply.headers,
    },
  };
}
