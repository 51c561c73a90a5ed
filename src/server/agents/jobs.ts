import type { Milliseconds } from '../../core/instant.ts';
import type { DoorReply, DoorRequest } from '../../protocols/door.ts';
import { badRequest, inWords, jsonReply } from '../../protocols/wire/json-reply.ts';
import { parseJson } from '../../protocols/wire/json-value.ts';
import { problemReply } from '../../protocols/wire/problem.ts';
import { readBody } from '../../protocols/wire/read-body.ts';
import { readQuery } from '../../protocols/wire/uri.ts';
import { WAIT_MAX } from '../../runs/agents/jobs.ts';
import { PHASE_RESULT } from '../../runs/agents/wire.ts';
import { RUN_PARTS, type RunPart } from '../../runs/records.ts';
import type { Run } from '../../runs/run-book.ts';
import type { Runs } from '../../runs/runs.ts';

const LOG_BYTES_MAX: number = 1_024 * 1_024;
const RESULT_BYTES_MAX: number = 64 * 1_024;
const NUMBER = /^\d{1,9}$/;

/** What every row of the table is given. */
interface JobCall {
  readonly runs: Runs;
  readonly run: Run;
  readonly request: DoorRequest;
  readonly part: string | null;
  readonly closing: AbortSignal;
}

type JobOperation =
  | 'job-beat'
  | 'job-configuration'
  | 'job-variables'
  | 'job-part'
  | 'job-put-part'
  | 'job-log'
  | 'job-end'
  | 'job-hand-back'
  | 'job-take-over';

const BY_PLACE: Readonly<Record<string, JobOperation>> = {
  'POST beat': 'job-beat',
  'GET configuration': 'job-configuration',
  'GET variables': 'job-variables',
  'GET parts': 'job-part',
  'PUT parts': 'job-put-part',
  'POST log': 'job-log',
  'POST end': 'job-end',
  'POST hand-back': 'job-hand-back',
  'POST take-over': 'job-take-over',
};

/** What is asked of a phase; null where it is nothing. */
export function ofJob(method: string, name: string): JobOperation | null {
  return BY_PLACE[`${method} ${name}`] ?? null;
}

/** What an agent may ask and say of the phase that it has. A row answers null when the phase is not the agent's any more. */
export const JOB_OPERATIONS: Readonly<Record<JobOperation, (call: JobCall) => Promise<DoorReply | null>>> = {
  'job-beat': async ({ runs, run, request, closing }) => {
    const gone = AbortSignal.any([request.gone, closing]);
    const signal = await runs.jobs.beat(run, { wait: waitOf(request), gone });
    return signal === null ? null : jsonReply('job-beat', { signal });
  },
  'job-configuration': async ({ runs, run }) => {
    const archive = await runs.jobs.store(run).archive();
    return archive === null ? nothing('job-configuration') : bytesReply('job-configuration', archive);
  },
  'job-variables': async ({ runs, run }) => {
    const variables = await runs.jobs.store(run).variables();
    const told = variables.map(({ key, category, hcl, value, overrides }) => ({
      key,
      category,
      hcl,
      value,
      overrides,
    }));
    return jsonReply('job-variables', told);
  },
  'job-part': async ({ runs, run, part }) => {
    if (!isPart(part)) return nothing('job-part');
    const bytes = await runs.jobs.store(run).part(part);
    return bytes === null ? nothing('job-part') : bytesReply('job-part', bytes);
  },
  'job-put-part': async ({ runs, run, part, request }) => {
    if (!isPart(part)) return nothing('job-put-part');
    const problem = await runs.jobs.putPart(run, part, request.body, request.peer);
    if (problem === null) return empty('job-put-part');
    if (problem === 'busy')
      return problemReply('job-put-part', 'busy', {
        status: 503,
        message: 'too much is coming in: try again',
        retryAfterSeconds: 1,
      });
    if (problem === 'too-large')
      return problemReply('job-put-part', 'too-large', { status: 413, message: 'the plan is too large' });
    return problemReply('job-put-part', 'forbidden', {
      status: 403,
      message: 'a plan alone makes this, while it is made',
    });
  },
  'job-log': async ({ runs, run, request }) => {
    const offset = readQuery(request.query)?.get('offset') ?? '';
    const bytes = await readBody(request, LOG_BYTES_MAX);
    if (!NUMBER.test(offset)) return badRequest('job-log', 'offset is a whole number');
    const size = bytes === null ? null : await runs.jobs.log(run, Number(offset), bytes);
    return size === null
      ? problemReply('job-log', 'too-large', { status: 413, message: 'the log is too long' })
      : jsonReply('job-log', { size });
  },
  'job-end': async ({ runs, run, request }) => {
    const body = await readBody(request, RESULT_BYTES_MAX);
    const result = PHASE_RESULT.safeParse(parseJson(body ?? ''));
    if (!result.success) return badRequest('job-end', inWords(result.error));
    return (await runs.jobs.end(run, result.data)) ? empty('job-end') : null;
  },
  'job-hand-back': async ({ runs, run }) => {
    await runs.jobs.handBack(run);
    return empty('job-hand-back');
  },
  'job-take-over': async ({ runs, run }) => {
    const secrets = await runs.jobs.takeOver(run);
    return secrets === null ? null : jsonReply('job-take-over', secrets);
  },
};

/** How long a request may be held open, as its query says. */
export function waitOf({ query }: Pick<DoorRequest, 'query'>): Milliseconds {
  const text = readQuery(query)?.get('wait') ?? '0';
  return Math.min(WAIT_MAX, NUMBER.test(text) ? Number(text) : 0);
}

function isPart(text: string | null): text is RunPart {
  return (RUN_PARTS as readonly (string | null)[]).includes(text);
}

function bytesReply(operation: string, body: DoorReply['body']): DoorReply {
  const headers = { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' };
  return { operation, status: 200, headers, body };
}

function empty(operation: string): DoorReply {
  return { operation, status: 204, headers: {}, body: null };
}

function nothing(operation: string): DoorReply {
  return problemReply(operation, 'absent', { status: 404, message: 'nothing of that kind was kept' });
}
