import type { House } from '../../../house/house.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import type { Runs } from '../../../runs/runs.ts';
import type { DoorReply, DoorRequest } from '../../door.ts';
import { readQuery } from '../../wire/uri.ts';
import { RUN_FILES_PREFIX } from '../layout.ts';
import { errorReply, invalid, refused, type HcpError } from './errors.ts';

/**
 * Bytes of one answer to go-tfe, which takes with one read what came first, closes the connection, and asks for the rest again:
 * over HTTP/1 that is less than 4 KiB, whatever it asked for (`logreader.go`).
 */
const GO_TFE_BYTES = 3_500;
const ANSWER_BYTES_MAX: number = 1_024 * 1_024;
/** How long a reader waits for a log to go on. */
const HOLD: Milliseconds = 20_000;
/** Readers that are held at a time; others ask again. */
const HELD_MAX = 2_000;

/** Whether a path is one of those whose ticket stands for a credential. */
export function isRunFile(path: string): boolean {
  return path.startsWith(RUN_FILES_PREFIX);
}

/** What comes and goes by a ticket: the archive of a configuration, and logs. */
export class RunFiles {
  readonly #house: House;
  readonly #runs: Runs | null;
  readonly #closing: AbortSignal;
  #held = 0;

  /** @param closing aborted when the server begins to close */
  constructor(house: House, runs: Runs | null, closing: AbortSignal) {
    this.#house = house;
    this.#runs = runs;
    this.#closing = closing;
  }

  async answer(request: DoorRequest): Promise<DoorReply> {
    const answer = await this.#answer(request);
    return 'title' in answer ? errorReply('run-files', answer) : answer;
  }

  async #answer(request: DoorRequest): Promise<DoorReply | HcpError> {
    const runs = this.#runs;
    const ticket = runs?.tickets.read(request.path.slice(RUN_FILES_PREFIX.length), await this.#house.now());
    if (runs === null || ticket === null || ticket === undefined) return NOT_GOOD;
    const { kind, id } = ticket;
    if (kind === 'configuration') return request.method === 'PUT' ? this.#take(runs, id, request) : NOT_GOOD;
    return request.method === 'GET' ? this.#log(runs, id, kind, request) : NOT_GOOD;
  }

  async #take(runs: Runs, id: string, request: DoorRequest): Promise<DoorReply | HcpError> {
    const answer = await runs.configurations.upload({ peer: request.peer }, id, request.body);
    if (answer.type === 'uploaded') return emptyReply('configuration-versions.upload');
    if (answer.type === 'invalid') return invalid(answer.problem);
    return answer.type === 'absent' ? NOT_GOOD : refused(answer);
  }

  async #log(
    runs: Runs,
    id: string,
    phase: 'plan' | 'apply',
    request: DoorRequest,
  ): Promise<DoorReply | HcpError> {
    const query = readQuery(request.query);
    const [offset, limit] = [query?.get('offset') ?? '0', query?.get('limit') ?? String(ANSWER_BYTES_MAX)];
    if (!NUMBER.test(offset) || !NUMBER.test(limit)) return invalid('offset and limit are whole numbers');
    const most = /^go-tfe\b/.test(request.header('user-agent') ?? '') ? GO_TFE_BYTES : ANSWER_BYTES_MAX;
    const at = { offset: Number(offset), limit: Math.min(Number(limit), most) };
    const gone = AbortSignal.any([request.gone, this.#closing]);
    this.#held += 1;
    try {
      const wait = this.#held > HELD_MAX ? 0 : HOLD;
      const stretch = await runs.log(id, phase, at, { wait, gone });
      if (stretch === null) return NOT_GOOD;
      return {
        operation: 'logs.read',
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
        body: stretch.bytes,
      };
    } finally {
      this.#held -= 1;
    }
  }
}

const NUMBER = /^\d{1,12}$/;

function emptyReply(operation: string): DoorReply {
  return { operation, status: 200, headers: {}, body: null };
}

const NOT_GOOD: HcpError = {
  status: 404,
  title: 'not found',
  detail: 'this address is not valid, or not any more',
  stranger: true,
};
