import { z } from 'zod';
import { formatAddress, type Address } from '../../../core/address.ts';
import { RUN_ACTIONS } from '../../../core/runs/status.ts';
import type { DoorReply } from '../../../protocols/door.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { PHASES } from '../../../runs/records.ts';
import type { Runs } from '../../../runs/runs.ts';
import { jsonReply } from '../json-reply.ts';
import { ADDRESS, LIMIT, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { againWanted, RUN, RUN_LOG, RUNS, toRunShape } from '../shapes/run.ts';
import { defineRunRoute } from './run-route.ts';

/** Bytes of a log in one answer. */
const LOG_BYTES: number = 256 * 1_024;
const NEWLINE = 0x0a;

const YES = z.boolean().optional();
const ADDRESSES = z.array(z.string()).readonly().optional();

const RUN_AGAIN = z
  .strictObject({
    apply: YES.describe('Whether it may apply; else it ends with its plan.'),
    autoApply: YES.describe('Applies without being confirmed.'),
    destroy: YES.describe('Destroys what there is.'),
    refreshOnly: YES.describe('Only brings the state up to date with what is there.'),
    noRefresh: YES.describe('Does not look at what is there.'),
    targets: ADDRESSES.describe('Only these resources, and what they need.'),
    replaces: ADDRESSES.describe('Makes these resources anew.'),
    message: z.string().optional().describe('Why, for those who see the run.'),
    version: z
      .string()
      .max(100)
      .optional()
      .describe('Of the program; by default the one that it was applied with.'),
  })
  .meta({ id: 'RunAgain' });

/** What the server executes itself. */
export const RUN_ROUTES: readonly Route[] = [
  defineRunRoute({
    operation: 'list-runs',
    summary: 'Lists the runs of a state, newest first.',
    needs: 'reader',
    query: z.strictObject({ address: ADDRESS, limit: LIMIT }),
    body: NO_BODY,
    answer: { status: 200, says: 'The runs.', schema: RUNS },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { address, limit } }) => {
      const answer = await runs.list(caller, address, { from: 0, limit });
      if (answer.type !== 'runs') return refusalReply(operation, address, answer);
      return jsonReply(operation, { runs: answer.runs.map(toRunShape) });
    },
  }),
  defineRunRoute({
    operation: 'run-again',
    summary: 'Makes a run of the configuration that a run of the state has applied last.',
    needs: 'writer',
    about:
      'Nothing is uploaded. What was applied with variables of the run alone needs them set for the workspace.',
    query: z.strictObject({ address: ADDRESS }),
    body: RUN_AGAIN,
    answer: { status: 201, says: 'The run.', schema: RUN },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, query: { address }, body }) => {
      return madeReply(operation, address, await runs.createAgain(caller, address, againWanted(body)));
    },
  }),
  defineRunRoute({
    operation: 'show-run',
    summary: 'Shows a run as it is now.',
    needs: 'reader',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The run.', schema: RUN },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, name }) =>
      runReply(operation, name, await runs.show(caller, name, true)),
  }),
  defineRunRoute({
    operation: 'act-on-run',
    summary: 'Confirms, discards or cancels a run. Asked again by the same caller, it is done already.',
    needs: 'writer',
    query: NO_QUERY,
    body: z.strictObject({ action: z.enum(RUN_ACTIONS) }).meta({ id: 'RunAction' }),
    answer: { status: 200, says: 'The run as it is then.', schema: RUN },
    refusals: [403, 404, 409],
    run: async ({ runs, caller, operation, name, body: { action } }) =>
      runReply(operation, name, await runs.act(caller, name, action)),
  }),
  defineRunRoute({
    operation: 'show-run-log',
    summary: 'Shows what the programs of a run have said, from an offset on.',
    needs: 'reader',
    query: z.strictObject({
      run: WORD.describe('The ID of the run.'),
      phase: z.enum(PHASES),
      offset: z.coerce.number<number>().int().min(0).default(0).describe('Bytes that are known already.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'A stretch of the log.', schema: RUN_LOG },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { run, phase, offset } }) => {
      const shown = await runs.show(caller, run);
      if (shown.type === 'absent') return absent(operation, run);
      if (shown.type !== 'shown') return refusalReply(operation, null, shown);
      const stretch = await runs.log(run, phase, { offset, limit: LOG_BYTES }, { wait: 0 });
      if (stretch === null) return absent(operation, run);
      const { bytes, ended } = stretch;
      // A character is not cut in two, and neither is a line, unless it is longer than an answer.
      const end = ended || bytes.length === LOG_BYTES ? -1 : bytes.lastIndexOf(NEWLINE) + 1;
      const whole = end === -1 ? bytes : bytes.subarray(0, end);
      const text = withoutMarks(Buffer.from(whole).toString());
      return jsonReply(operation, { text, next: offset + whole.length, ended });
    },
  }),
];

/** The marks of a log's beginning and end are for clients of HCP. */
function withoutMarks(text: string): string {
  return text.replaceAll(String.fromCodePoint(2), '').replaceAll(String.fromCodePoint(3), '');
}

function runReply(
  operation: 'show-run' | 'act-on-run',
  id: string,
  answer: Awaited<ReturnType<Runs['show'] | Runs['act']>>,
): DoorReply {
  switch (answer.type) {
    case 'shown':
    case 'done':
      return jsonReply(operation, toRunShape(answer.run));
    case 'absent':
      return absent(operation, id);
    case 'refused':
      return problemReply(operation, 'stale', {
        status: 409,
        message: `the run is ${answer.run.status}: that cannot be asked of it now`,
      });
    default:
      return refusalReply(operation, null, answer);
  }
}

function absent(operation: string, id: string): DoorReply {
  return problemReply(operation, 'absent', { status: 404, message: `there is no run "${id}"` });
}

/** What is answered where a run was to be made. */
export function madeReply(
  operation: 'run-again' | 'check-drift',
  address: Address,
  answer: Awaited<ReturnType<Runs['createAgain']>>,
): DoorReply {
  if (answer.type === 'created') return jsonReply(operation, toRunShape(answer.run), 201);
  if (answer.type === 'invalid')
    return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
  return answer.type === 'absent'
    ? absent(operation, formatAddress(address))
    : refusalReply(operation, address, answer);
}
