import { z } from 'zod';
import { MOMENT, PROJECT } from '../parameters.ts';
import { jsonReply } from '../json-reply.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { NUMBERS, toNumbersShape } from '../shapes/numbers.ts';

const WEEK_MS = 7 * 86_400_000;

/** How much happens. */
export const NUMBER_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'show-numbers',
    summary:
      'Shows how much happened: applies, waits, holds, refusals, the busiest states, and what projects keep.',
    needs: 'reader; only what concerns states that the caller may read is counted',
    about: [
      'Hours are kept for 35 days, on every node of what it did itself. Of an hour in which very many states were at work, only the',
      'busiest are told by themselves. What concerns no state is counted for an admin of the server alone. Durations are',
      'counted in classes, so that the quantiles are about right.',
    ].join('\n'),
    query: z.strictObject({
      project: PROJECT.optional().describe('Only this project.'),
      since: MOMENT.optional().describe('Since when; for a week if it is left out.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The numbers.', schema: NUMBERS },
    refusals: [403],
    run: async ({ house, caller, operation, query: { project = null, since } }) => {
      const answer = await house.numbers.tell(caller, project, since ?? (await house.now()) - WEEK_MS);
      if (answer.type !== 'numbers') return refusalReply(operation, null, answer);
      return jsonReply(operation, toNumbersShape(answer));
    },
  }),
];
