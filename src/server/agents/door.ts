import type { House } from '../../house/house.ts';
import type { Door, DoorReply, DoorRequest, DoorRoutes } from '../../protocols/door.ts';
import { presentedBy } from '../../protocols/wire/authorization.ts';
import { badRequest, inWords, jsonReply } from '../../protocols/wire/json-reply.ts';
import { parseJson } from '../../protocols/wire/json-value.ts';
import {
  faultReply,
  methodReply,
  problemReply,
  throttledReply,
  unauthenticatedReply,
} from '../../protocols/wire/problem.ts';
import { readBody } from '../../protocols/wire/read-body.ts';
import { AGENTS_PREFIX, ABOUT_AGENT } from '../../runs/agents/wire.ts';
import type { Runs } from '../../runs/runs.ts';
import { ENTER_ACTION } from '../../house/identity/authenticators.ts';
import { sourceOf } from '../../protocols/caller.ts';
import { JOB_OPERATIONS, ofJob, waitOf } from './jobs.ts';

const ABOUT_BYTES_MAX: number = 64 * 1_024;
const NAME = '[A-Za-z0-9-]{1,64}';
const OF_JOB = new RegExp(`^/jobs/(${NAME})/([a-z-]+)(?:/([a-z-]+))?$`);
const OF_AGENT = new RegExp(`^/(${NAME})(/next)?$`);

/**
 * The door of agents, which execute runs on other machines. A token of a pool, and the secret of a phase, are good here alone;
 * whatever opens another door opens nothing here.
 */
export class AgentDoor implements Door {
  readonly name = 'agent';
  readonly routes: DoorRoutes = { paths: [AGENTS_PREFIX, `${AGENTS_PREFIX}/*`] };
  readonly #house: House;
  readonly #runs: Runs | null;
  readonly #closing: AbortSignal;

  /** @param closing aborted when the server begins to close */
  constructor(house: House, runs: Runs | null, closing: AbortSignal) {
    this.#house = house;
    this.#runs = runs;
    this.#closing = closing;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const runs = this.#runs;
    const presented = presentedBy(request);
    const token = presented?.kind === 'bearer' ? presented.token : null;
    if (runs === null || token === null) return this.#stranger(request);
    const path = request.path.slice(AGENTS_PREFIX.length);
    const [, run, name, part = null] = OF_JOB.exec(path) ?? [];
    if (run !== undefined && name !== undefined) return this.#job(runs, token, request, { run, name, part });
    return this.#pool(runs, token, request, path);
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return faultReply('unknown', message);
  }

  throttled(_request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return throttledReply('unknown', retryAfterSeconds);
  }

  /** What an agent says with the token of its pool. */
  async #pool(runs: Runs, token: string, request: DoorRequest, path: string): Promise<DoorReply> {
    const admitted = await runs.pools.admit(token);
    if (admitted === null) return this.#stranger(request);
    const wait = request.admit(`agent:${admitted.pool.id}`);
    if (wait !== null) return this.throttled(request, wait);
    if (path === '' || path === '/') {
      if (request.method !== 'POST') return methodReply(['POST']);
      const body = await readBody(request, ABOUT_BYTES_MAX);
      const about = ABOUT_AGENT.safeParse(parseJson(body ?? ''));
      if (!about.success) return badRequest('agent-register', inWords(about.error));
      const answer = await runs.pools.register(admitted, { ...about.data, address: request.peer });
      if (answer.type === 'invalid')
        return problemReply('agent-register', 'invalid', { status: 422, message: answer.problem });
      const { id, project } = admitted.pool;
      return jsonReply('agent-register', { id: answer.id, pool: id, project }, 201);
    }
    const [, agent, next] = OF_AGENT.exec(path) ?? [];
    if (agent === undefined) return absent('unknown');
    if (next === undefined) {
      if (request.method !== 'DELETE') return methodReply(['DELETE']);
      await runs.pools.leave(agent, admitted);
      return { operation: 'agent-leave', status: 204, headers: {}, body: null };
    }
    if (request.method !== 'POST') return methodReply(['POST']);
    const gone = AbortSignal.any([request.gone, this.#closing]);
    const taken = await runs.jobs.next(admitted, agent, { wait: waitOf(request), gone });
    if (taken === 'unknown') return absent('agent-next');
    if (taken === null) return { operation: 'agent-next', status: 204, headers: {}, body: null };
    const { run, phase, secret, token: own, logOffset, undelivered } = taken;
    const { id, address, kind, task, program, version, structured, directory } = run;
    const lockId = phase === 'apply' ? run.lockId : '';
    const told = { id, address, kind, task, program, version, structured, directory, lockId };
    return {
      ...jsonReply('agent-next', { run: told, phase, secret, token: own, logOffset, lease: runs.jobs.lease }),
      undelivered,
    };
  }

  /** What an agent says with the secret of a phase. */
  async #job(
    runs: Runs,
    secret: string,
    request: DoorRequest,
    asked: { readonly run: string; readonly name: string; readonly part: string | null },
  ): Promise<DoorReply> {
    const operation = ofJob(request.method, asked.name);
    if (operation === null) return absent('unknown');
    const run = await runs.jobs.admit(asked.run, secret);
    if (run === null) return gone(operation);
    const wait = request.admit(`run:${run.id}`);
    if (wait !== null) return this.throttled(request, wait);
    const reply = await JOB_OPERATIONS[operation]({
      runs,
      run,
      request,
      part: asked.part,
      closing: this.#closing,
    });
    return reply ?? gone(operation);
  }

  #stranger(request: DoorRequest): DoorReply {
    const { door, origin } = sourceOf(this, request);
    this.#house.audit.refused(
      { subject: 'stranger', door, origin },
      ENTER_ACTION,
      null,
      'unknown-credential',
    );
    return unauthenticatedReply('unknown');
  }
}

/** The phase is not the agent's any more, or never was: that is not told apart. */
function gone(operation: string): DoorReply {
  const message = 'this phase is not given to you, or not any more: end what you do for it';
  return { ...problemReply(operation, 'absent', { status: 410, message }), stranger: true };
}

function absent(operation: string): DoorReply {
  return problemReply(operation, 'absent', { status: 404, message: 'there is nothing at this path' });
}
