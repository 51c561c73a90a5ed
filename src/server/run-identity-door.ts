import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../protocols/door.ts';
import { jsonTextReply } from '../protocols/wire/json-reply.ts';
import { faultReply, methodReply, problemReply } from '../protocols/wire/problem.ts';
import { KEYS_PATH, OPENID_PATH, type RunIdentity } from '../runs/identity/run-identity.ts';
import type { Runs } from '../runs/runs.ts';

/**
 * Tells clouds by which keys the tokens of runs are verified (OpenID Connect Discovery 1.0). It says nothing else of this server,
 * and so needs no credential.
 */
export class RunIdentityDoor implements Door {
  readonly name = 'run-identity';
  readonly routes: DoorRoutes = { paths: [OPENID_PATH, KEYS_PATH] };
  readonly #identity: RunIdentity | null;

  constructor(runs: Runs | null) {
    this.#identity = runs?.identity ?? null;
  }

  async answer({ method, path }: DoorRequest): Promise<DoorReply> {
    const operation = path === KEYS_PATH ? 'jwks' : 'openid-configuration';
    if (method !== 'GET' && method !== 'HEAD') return methodReply(['GET']);
    if (this.#identity === null) {
      const message = 'this server issues no tokens for runs: start it with --runs and --run-issuer';
      return problemReply(operation, 'absent', { status: 404, message });
    }
    const told = path === KEYS_PATH ? await this.#identity.keySet() : this.#identity.document();
    return jsonTextReply(operation, JSON.stringify(told));
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('unknown', message);
  }

  throttled(): null {
    return null;
  }
}
