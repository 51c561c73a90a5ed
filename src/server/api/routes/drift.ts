import { z } from 'zod';
import { formatAddress } from '../../../core/address.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { addressCursor } from '../cursor.ts';
import { jsonReply } from '../json-reply.ts';
import { ADDRESS, ADDRESS_CURSOR, LIMIT, PROJECT } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { NO_BODY, type Route } from '../route.ts';
import { DRIFT_DETAIL, DRIFTS, toDriftDetailShape, toDriftShape } from '../shapes/drift.ts';
import { RUN } from '../shapes/run.ts';
import { defineRunRoute } from './run-route.ts';
import { madeReply } from './runs.ts';

const ONE = z.strictObject({ address: ADDRESS });

/** What is there, beside what states say of it. */
export const DRIFT_ROUTES: readonly Route[] = [
  defineRunRoute({
    operation: 'list-drift',
    summary: 'Lists the states that have drifted, in the order of their addresses.',
    needs: 'reader; only what the caller may read is listed',
    query: z.strictObject({
      project: PROJECT.optional().describe('Only this project.'),
      limit: LIMIT,
      cursor: ADDRESS_CURSOR,
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'A page of states.', schema: DRIFTS },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { project = null, cursor = null, limit } }) => {
      const page = await runs.drift.list(caller, { project, after: cursor, limit });
      if (page.type !== 'page') return refusalReply(operation, null, page);
      return jsonReply(operation, { states: page.states.map(toDriftShape), next: addressCursor(page.next) });
    },
  }),
  defineRunRoute({
    operation: 'show-drift',
    summary: 'Shows what of a state has drifted, and when it is looked at.',
    needs: 'reader',
    query: ONE,
    body: NO_BODY,
    answer: { status: 200, says: 'What is known.', schema: DRIFT_DETAIL },
    refusals: [403, 404],
    run: async ({ runs, caller, operation, query: { address } }) => {
      const answer = await runs.drift.show(caller, address);
      if (answer.type !== 'shown') return refusalReply(operation, address, answer);
      return jsonReply(operation, toDriftDetailShape(answer.detail));
    },
  }),
  defineRunRoute({
    operation: 'schedule-drift',
    summary: 'Says when a state is looked at for drift: every so many hours, daily, or never.',
    needs: 'writer',
    about: 'The schedule is the state’s own, and goes on whatever becomes of who has set it.',
    query: ONE,
    body: z
      .strictObject({
        schedule: z
          .string()
          .max(100)
          .nullable()
          .describe('`every 24h`, of 1 to 720 hours, or `daily at 03:00`, in UTC; null for never.'),
      })
      .meta({ id: 'DriftScheduleWanted' }),
    answer: { status: 200, says: 'What is known.', schema: DRIFT_DETAIL },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, query: { address }, body: { schedule } }) => {
      const answer = await runs.drift.setSchedule(caller, address, schedule);
      if (answer.type === 'set') return jsonReply(operation, toDriftDetailShape(answer.detail));
      if (answer.type === 'invalid')
        return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
      if (answer.type !== 'absent') return refusalReply(operation, address, answer);
      const message = `there is no state ${formatAddress(address)}`;
      return problemReply(operation, 'absent', { status: 404, message });
    },
  }),
  defineRunRoute({
    operation: 'check-drift',
    summary: 'Looks at a state for drift now: makes a plan that only refreshes what was applied last.',
    needs: 'writer',
    query: ONE,
    body: NO_BODY,
    answer: { status: 201, says: 'The run that looks.', schema: RUN },
    refusals: [403, 404, 422],
    run: async ({ runs, caller, operation, query: { address } }) =>
      madeReply(operation, address, await runs.drift.check(caller, address)),
  }),
];
