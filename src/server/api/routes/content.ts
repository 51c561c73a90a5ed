import { z } from 'zod';
import type { DoorReply } from '../../../protocols/door.ts';
import { askContent, type Question } from '../content/ask-content.ts';
import { ADDRESS, VERSION_NUMBER, WORD } from '../parameters.ts';
import { jsonTextReply } from '../../../protocols/wire/json-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { DIFF, OUTPUTS, SNAPSHOT } from '../shapes/content.ts';

const NEWEST = VERSION_NUMBER.optional().describe('The newest one if it is left out.');
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

/** What is in a state, as the worker says it. */
async function runTask(asking: Parameters<typeof askContent>[0], question: Question): Promise<DoorReply> {
  const answer = await askContent(asking, question);
  return answer.type === 'text' ? jsonTextReply(asking.operation, answer.text) : answer.reply;
}
