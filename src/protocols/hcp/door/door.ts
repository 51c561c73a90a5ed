import type { House } from '../../../house/house.ts';
import { callerOf } from '../../caller.ts';
import type { Runs } from '../../../runs/runs.ts';
import type { Door, DoorParts, DoorReply, DoorRequest, DoorRoutes } from '../../door.ts';
import {
  API_PREFIX,
  API_VERSION,
  APP_NAME,
  APP_PREFIX,
  AUTHORIZATION_PATH,
  DISCOVERY_PATH,
  TOKEN_PATH,
} from '../layout.ts';
import { authenticate } from './auth.ts';
import { isError, type Answer } from './call.ts';
import { Connections } from './connections.ts';
import { Detector } from './detect.ts';
import { discoveryReply } from './discovery.ts';
import { errorReply, slowDown, unauthenticated, unavailable } from './errors.ts';
import { OPERATIONS } from './operations.ts';
import { isRunFile, RunFiles } from './run-files.ts';
import { authorize, exchangeCode } from './login.ts';
import { appPage } from './pages.ts';
import { isUpload, takeUpload } from './uploads.ts';

/** What is told of the API beside every answer: terraform reads it from whatever a ping is answered with. */
const ABOUT = {
  'tfp-api-version': API_VERSION,
  'tfp-appname': APP_NAME,
  // Seconds: a state is kept that often while an apply is under way, as terraform does it with every other backend.
  'x-terraform-snapshot-interval': '20',
} as const;

/** Its routes are compiled, which costs more than a door. */
const DETECTOR = new Detector(OPERATIONS);

/** The door for Terraform's `cloud` block and `backend "remote"`, and for HCP's own clients of workspaces and states. */
export class HcpDoor implements Door {
  readonly name = 'hcp';
  readonly routes: DoorRoutes = {
    paths: [DISCOVERY_PATH, AUTHORIZATION_PATH, TOKEN_PATH, `${APP_PREFIX}*`, `${API_PREFIX}*`],
  };
  readonly #house: House;
  readonly #runs: Runs | null;
  readonly #runFiles: RunFiles;
  readonly #connections: Connections;

  constructor({ house, now, runs, closing }: Pick<DoorParts, 'house' | 'now' | 'runs' | 'closing'>) {
    this.#house = house;
    this.#runs = runs;
    this.#runFiles = new RunFiles(house, runs, closing);
    this.#connections = new Connections(now);
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const { path } = request;
    if (isRunFile(path)) return this.#runFiles.answer(request);
    const parts = { house: this.#house, connections: this.#connections, door: this };
    if (path === DISCOVERY_PATH) return discoveryReply(request);
    if (path === AUTHORIZATION_PATH) return authorize(parts, request);
    if (path === TOKEN_PATH) return exchangeCode(parts, request);
    if (path.startsWith(APP_PREFIX)) return appPage(request);
    const reply = isUpload(path) ? await takeUpload(parts, request) : await this.#ask(request);
    return { ...reply, headers: { ...ABOUT, ...reply.headers } };
  }

  fault(_request: DoorRequest, message: string): DoorReply {
    return errorReply('unknown', unavailable(message));
  }

  throttled(_request: DoorRequest, retryAfterSeconds: number): DoorReply {
    return errorReply('unknown', slowDown(retryAfterSeconds));
  }

  async #ask(request: DoorRequest): Promise<DoorReply> {
    const asked = DETECTOR.detect(request);
    const answer = await this.#answer(request, asked);
    const operation = 'operation' in asked ? asked.operation : 'unknown';
    return 'title' in answer ? errorReply(operation, answer) : answer;
  }

  async #answer(request: DoorRequest, asked: ReturnType<Detector['detect']>): Promise<Answer> {
    const identity = await authenticate(request, this.#house, this);
    if (identity === null) return unauthenticated();
    const wait = request.admit(identity.subject);
    if (wait !== null) return slowDown(wait);
    if (isError(asked)) return asked;
    const { operation, row, params, query } = asked;
    return row.run({
      house: this.#house,
      runs: this.#runs,
      connections: this.#connections,
      caller: callerOf(identity, this, request),
      request,
      operation,
      params,
      query,
    });
  }
}
