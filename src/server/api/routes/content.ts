import { z } from 'zod';
import type { Address } from '../../../core/address.ts';
import type { DoorReply } from '../../../protocols/door.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { CONTENT_BYTES_MAX, type SnapshotTask, type VersionBytes } from '../content/snapshot-task.ts';
import { ADDRESS, VERSION_NUMBER, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { jsonTextReply } from '../../../protocols/wire/json-reply.ts';
import { defineRoute, NO_BODY, type RouteCall, type Route } from '../route.ts';
import { DIFF, OUTPUTS, SNAPSHOT } from '../shapes/content.ts';

const NEWEST = VERSION_NUMBER.optional().describe('The newest one if it is left out.');
/** When to ask again where others are served first. */
const RETRY_SECONDS = 2;
const REFUSALS = [403, 404, 413, 422, 429] as const;

/** What states say, for people to see. Sensitive values are masked. */
export const CONTENT_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'show-snapshot',
    summary: 'Shows what is in a version: counts, outputs and resource instances.',
    needs: 'reader of the address',
    about: 'Sensitive values are masked. To see the attributes of an instance, name it in `instance`.',
    query: z.strictObject({
      address: ADDRESS,
      version: NEWEST,
      instance: WORD.optional().describe(
        'Only the instance of this address, with its attributes: `module.net.aws_subnet.this[0]`.',
      ),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'What is in it.', schema: SNAPSHOT },
    refusals: REFUSALS,
    run: async (call) => {
      const { address, version, instance = null } = call.query;
      return runTask(call, {
        address,
        action: 'read',
        numbers: [version ?? null],
        task: ([first]) => ({ kind: 'snapshot', version: first, instance }),
      });
    },
  }),
  defineRoute({
    operation: 'show-outputs',
    summary: 'Shows the outputs of a version.',
    needs: 'outputs of the address',
    about:
      'Sensitive outputs are masked for a caller that has only the role `outputs`, and shown to readers.',
    query: z.strictObject({ address: ADDRESS, version: NEWEST }),
    body: NO_BODY,
    answer: { status: 200, says: 'The outputs, by name.', schema: OUTPUTS },
    refusals: REFUSALS,
    run: async (call) => {
      const { address, version } = call.query;
      return runTask(call, {
        address,
        action: 'read-outputs',
        numbers: [version ?? null],
        task: ([first], reveal) => ({ kind: 'outputs', version: first, reveal }),
      });
    },
  }),
  defineRoute({
    operation: 'diff-versions',
    summary: 'Compares two versions, by resource instance and attribute.',
    needs: 'reader of the address',
    about: 'Sensitive values are masked; whether they differ is shown.',
    query: z.strictObject({ address: ADDRESS, from: VERSION_NUMBER.describe('The older one.'), to: NEWEST }),
    body: NO_BODY,
    answer: { status: 200, says: 'What changed.', schema: DIFF },
    refusals: REFUSALS,
    run: async (call) => {
      const { address, from, to } = call.query;
      return runTask(call, {
        address,
        action: 'read',
        numbers: [from, to ?? null],
        task: ([first, second]) => ({ kind: 'diff', from: first, to: second ?? first }),
      });
    },
  }),
];

/** What is asked of which versions of a state. */
interface Question {
  readonly address: Address;
  readonly action: 'read' | 'read-outputs';
  /** null for the newest. */
  readonly numbers: readonly (number | null)[];
  readonly task: (versions: readonly [VersionBytes, ...VersionBytes[]], reveal: boolean) => SnapshotTask;
}

type Asking = Pick<RouteCall<unknown, unknown>, 'house' | 'caller' | 'operation' | 'parts' | 'request'>;

/** Reads the versions and has the worker answer what is in them, when it is this request's turn. */
async function runTask(asking: Asking, question: Question): Promise<DoorReply> {
  const { operation, parts, caller, request } = asking;
  const { subject } = caller.identity;
  const turn = { subject, gone: request.gone };
  const reply = await parts.snapshotWorker.enqueue(turn, () => answerNow(asking, question));
  if (!('type' in reply)) return reply;
  switch (reply.type) {
    case 'gone':
      return refusalReply(operation, question.address, reply);
    case 'busy': {
      const message = 'the contents of too many states are being read at once: try again in a moment';
      return problemReply(operation, 'busy', { status: 503, message, retryAfterSeconds: RETRY_SECONDS });
    }
    case 'too-many': {
      const message = `${subject} waits for the contents of ${reply.limit} states already: ask for the next one when one has come`;
      return problemReply(operation, 'busy', { status: 429, message, retryAfterSeconds: RETRY_SECONDS });
    }
  }
}

async function answerNow(asking: Asking, question: Question): Promise<DoorReply> {
  const { house, caller, operation, parts, request } = asking;
  const { address, action, numbers, task } = question;
  const versions: VersionBytes[] = [];
  let reveal = true;
  for (const number of numbers) {
    const wanted = { number, action, limit: CONTENT_BYTES_MAX };
    const answer = await house.states.readWhole(caller, address, wanted);
    if (answer.type === 'too-large') return tooLarge(operation);
    if (answer.type !== 'whole') return refusalReply(operation, address, answer, number);
    if (answer.version.encrypted) return encrypted(operation, answer.version.number);
    versions.push({ number: answer.version.number, bytes: answer.bytes });
    reveal &&= answer.reveal;
  }
  const [first, ...others] = versions;
  if (first === undefined) throw new Error('nothing was asked for');
  const answer = await parts.snapshotWorker.runTask(task([first, ...others], reveal), request.gone);
  switch (answer.type) {
    case 'answer':
      return jsonTextReply(operation, answer.text);
    case 'gone':
      return refusalReply(operation, address, answer);
    case 'unreadable':
      return problemReply(operation, 'unreadable', { status: 422, message: answer.problem });
    case 'too-slow': {
      const message = `reading what is in the state takes more than ${answer.seconds} s: it can be downloaded, but not shown`;
      return problemReply(operation, 'unreadable', { status: 422, message });
    }
  }
}

function encrypted(operation: string, version: number): DoorReply {
  const message = `version ${version} is encrypted by the client that wrote it: it can be downloaded, but not shown`;
  return problemReply(operation, 'encrypted', { status: 422, message });
}

function tooLarge(operation: string): DoorReply {
  const message = `the state is larger than ${CONTENT_BYTES_MAX} bytes: it can be downloaded, but not shown`;
  return problemReply(operation, 'too-large', {
    status: 413,
    message,
    facts: { limit: CONTENT_BYTES_MAX },
  });
}
