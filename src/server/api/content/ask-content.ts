import type { Address } from '../../../core/address.ts';
import type { DoorReply } from '../../../protocols/door.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { refusalReply } from '../refusal-reply.ts';
import type { RouteCall } from '../route.ts';
import { CONTENT_BYTES_MAX, type SnapshotTask, type VersionBytes } from './snapshot-task.ts';

/** When to ask again where others are served first. */
const RETRY_SECONDS = 2;

/** What is asked of which versions of a state. */
export interface Question {
  readonly address: Address;
  readonly action: 'read' | 'read-outputs';
  /** null for the newest. */
  readonly numbers: readonly (number | null)[];
  readonly task: (versions: readonly [VersionBytes, ...VersionBytes[]], reveal: boolean) => SnapshotTask;
}

type Asking = Pick<RouteCall<unknown, unknown>, 'house' | 'caller' | 'operation' | 'parts' | 'request'>;

/** The JSON that a question is answered with, or why it is not. */
export type ContentAnswer =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'refused'; readonly reply: DoorReply };

/** Reads the versions and has the worker answer what is in them, when it is this request's turn. */
export async function askContent(asking: Asking, question: Question): Promise<ContentAnswer> {
  const { operation, parts, caller, request } = asking;
  const { subject } = caller.identity;
  const turn = { subject, gone: request.gone };
  const answer = await parts.snapshotWorker.enqueue(turn, () => answerNow(asking, question));
  switch (answer.type) {
    case 'text':
    case 'refused':
      return answer;
    case 'gone':
      return refused(refusalReply(operation, question.address, answer));
    case 'busy': {
      const message = 'the contents of too many states are being read at once: try again in a moment';
      return refused(
        problemReply(operation, 'busy', { status: 503, message, retryAfterSeconds: RETRY_SECONDS }),
      );
    }
    case 'too-many': {
      const message = `${subject} waits for the contents of ${answer.limit} states already: ask for the next one when one has come`;
      return refused(
        problemReply(operation, 'busy', { status: 429, message, retryAfterSeconds: RETRY_SECONDS }),
      );
    }
  }
}

async function answerNow(asking: Asking, question: Question): Promise<ContentAnswer> {
  const { house, caller, operation, parts, request } = asking;
  const { address, action, numbers, task } = question;
  const versions: VersionBytes[] = [];
  let reveal = true;
  for (const number of numbers) {
    const wanted = { number, action, limit: CONTENT_BYTES_MAX };
    const answer = await house.states.readWhole(caller, address, wanted);
    if (answer.type === 'too-large') return refused(tooLarge(operation));
    if (answer.type !== 'whole') return refused(refusalReply(operation, address, answer, number));
    if (answer.version.encrypted) return refused(encrypted(operation, answer.version.number));
    versions.push({ number: answer.version.number, bytes: answer.bytes });
    reveal &&= answer.reveal;
  }
  const [first, ...others] = versions;
  if (first === undefined) throw new Error('nothing was asked for');
  const answer = await parts.snapshotWorker.runTask(task([first, ...others], reveal), request.gone);
  switch (answer.type) {
    case 'answer':
      return { type: 'text', text: answer.text };
    case 'gone':
      return refused(refusalReply(operation, address, answer));
    case 'unreadable':
      return refused(problemReply(operation, 'unreadable', { status: 422, message: answer.problem }));
    case 'too-slow': {
      const message = `reading what is in the state takes more than ${answer.seconds} s: it can be downloaded, but not shown`;
      return refused(problemReply(operation, 'unreadable', { status: 422, message }));
    }
  }
}

function refused(reply: DoorReply): ContentAnswer {
  return { type: 'refused', reply };
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
