import { parse, stringify } from 'lossless-json';
import { redactedPlan } from '../../../core/runs/redact.ts';
import type { Phase, RunPart } from '../../../runs/records.ts';
import type { Run } from '../../../runs/run-book.ts';
import { reply, type Answer, type Rows } from './call.ts';
import { notFound, refused } from './errors.ts';
import { atRun, type RunCall } from './run-calls.ts';
import { describePhase } from './run-view.ts';

/** The two phases of runs. */
export const PHASE_ROWS: Rows = {
  'plans.read': { method: 'GET', path: 'plans/:plan', run: reading('plan') },
  'plans.read-of-run': { method: 'GET', path: 'runs/:run/plan', run: reading('plan') },
  'plans.read-json': {
    method: 'GET',
    path: 'plans/:plan/json-output',
    run: atRun((call, run) => readJson(call, run)),
  },
  'plans.read-redacted': {
    method: 'GET',
    path: 'plans/:plan/json-output-redacted',
    run: atRun((call, run) => readRedacted(call, run)),
  },
  'applies.read': { method: 'GET', path: 'applies/:apply', run: reading('apply') },
  'applies.read-of-run': { method: 'GET', path: 'runs/:run/apply', run: reading('apply') },
};

function reading(phase: Phase): Rows[string]['run'] {
  return atRun(async (call, run) => reply(call, describePhase(call, run, phase, await call.house.now())));
}

/** What `terraform show -json` says of the plan, as it said it. */
async function readJson(call: RunCall, run: Run): Promise<Answer> {
  const json = await partOf(call, run, 'json');
  return json instanceof Uint8Array ? jsonBytes(call, json) : json;
}

async function readRedacted(call: RunCall, run: Run): Promise<Answer> {
  const json = await partOf(call, run, 'json');
  if (!(json instanceof Uint8Array)) return json;
  const schemas = await partOf(call, run, 'schemas');
  const redacted = redactedPlan(
    parse(textOf(json)),
    schemas instanceof Uint8Array ? parse(textOf(schemas)) : null,
    (value) => stringify(value) ?? '',
  );
  return jsonBytes(call, Buffer.from(stringify(redacted) ?? ''));
}

async function partOf(
  call: RunCall,
  run: Run,
  part: RunPart,
): Promise<Uint8Array | Exclude<Answer, Uint8Array>> {
  const answer = await call.runs.part(call.caller, run.id, part);
  if (answer.type === 'absent') return notFound('the run');
  if (answer.type !== 'part') return refused(answer);
  return answer.bytes ?? notFound('the plan of the run');
}

function jsonBytes({ operation }: RunCall, body: Uint8Array): Answer {
  return {
    operation,
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body,
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
