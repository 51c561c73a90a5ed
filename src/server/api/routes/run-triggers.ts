import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { jsonReply } from '../json-reply.ts';
import { ADDRESS } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { RUN_TRIGGER, RUN_TRIGGERS, toTriggerShape } from '../shapes/run-trigger.ts';
import { defineRunRoute } from './run-route.ts';

/** Runs that are made after an apply of another state. */
export const RUN_TRIGGER_ROUTES: readonly Route[] = [
  defineRunRoute({
    operation: 'list-run-triggers',
    summary:
      'Lists the run triggers of a state: those that make its runs, and those that its applies set off.',
    needs: 'reader; only those of whose other state the caller may read, too',
    query: z.strictObject({ address: ADDRESS }),
    body: NO_BODY,
    answer: { status: 200, says: 'The triggers.', schema: RUN_TRIGGERS },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { address } }) => {
      const inbound = await runs.triggers.list(caller, address, 'inbound');
      if (inbound.type !== 'triggers') return refusalReply(operation, address, inbound);
      const outbound = await runs.triggers.list(caller, address, 'outbound');
      if (outbound.type !== 'triggers') return refusalReply(operation, address, outbound);
      return jsonReply(operation, {
        triggers: [...inbound.triggers, ...outbound.triggers].map(toTriggerShape),
      });
    },
  }),
  defineRunRoute({
    operation: 'create-run-trigger',
    summary: 'Has applies of one state make runs of another, of what was applied there last.',
    needs: 'writer of the state whose runs are made, reader of the other',
    about: 'Made twice, it is the same. A trigger that would close a circle is refused.',
    query: NO_QUERY,
    body: z
      .strictObject({
        address: ADDRESS.describe('The state whose runs are made.'),
        after: ADDRESS.describe('The state whose applies count.'),
      })
      .meta({ id: 'RunTriggerWanted' }),
    answer: { status: 201, says: 'The trigger.', schema: RUN_TRIGGER },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, body: { address, after } }) => {
      const answer = await runs.triggers.create(caller, address, after);
      if (answer.type === 'created') return jsonReply(operation, toTriggerShape(answer.trigger), 201);
      if (answer.type === 'invalid')
        return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
      if (answer.type !== 'absent') return refusalReply(operation, address, answer);
      return problemReply(operation, 'absent', { status: 404, message: 'one of the states is not there' });
    },
  }),
  defineRunRoute({
    operation: 'remove-run-trigger',
    summary: 'Removes a run trigger. Runs that it has made go on.',
    needs: 'writer of the state whose runs it makes',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'What is gone.', schema: z.strictObject({ removed: z.string() }) },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, name }) => {
      const answer = await runs.triggers.remove(caller, name);
      if (answer.type === 'removed') return jsonReply(operation, { removed: name });
      if (answer.type !== 'absent') return refusalReply(operation, null, answer);
      return problemReply(operation, 'absent', { status: 404, message: `there is no run trigger "${name}"` });
    },
  }),
];
