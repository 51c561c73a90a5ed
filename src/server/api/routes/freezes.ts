import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { jsonReply } from '../json-reply.ts';
import { WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { FREEZE, FREEZES, LIFTED, toFreezeShape } from '../shapes/freeze.ts';

const PATTERN = WORD.describe('`project/key@workspace`, where `*` is any text.');

/** What is frozen: applies are refused there, and plans go on. */
export const FREEZE_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-freezes',
    summary: 'Lists what is frozen, the first to end first.',
    needs: 'reader; only freezes of projects in which the caller may list something are listed',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The freezes.', schema: FREEZES },
    refusals: [],
    run: async ({ house, caller, operation }) => {
      const answer = await house.freezes.list(caller);
      if (answer.type !== 'freezes') return refusalReply(operation, null, answer);
      return jsonReply(operation, { freezes: answer.freezes.map(toFreezeShape) });
    },
  }),
  defineRoute({
    operation: 'freeze',
    summary: 'Refuses applies on what a pattern covers, until a moment.',
    needs: 'operator of all that the pattern covers',
    about:
      'Locks for anything but a plan and writes without a lock are refused with the reason. A run that holds the lock goes on.',
    query: NO_QUERY,
    body: z
      .strictObject({
        pattern: PATTERN,
        reason: z.string().min(1).describe('What those who are refused are told.'),
        until: z.iso.datetime({ offset: true }).describe('When it ends by itself, within a year.'),
      })
      .meta({ id: 'FreezeWanted' }),
    answer: { status: 200, says: 'The freeze.', schema: FREEZE },
    refusals: [403, 422],
    run: async ({ house, caller, operation, body: { pattern, reason, until } }) => {
      const answer = await house.freezes.set(caller, { pattern, reason, until: Date.parse(until) });
      if (answer.type === 'invalid')
        return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
      if (answer.type !== 'set') return refusalReply(operation, null, answer);
      return jsonReply(operation, toFreezeShape(answer.freeze));
    },
  }),
  defineRoute({
    operation: 'unfreeze',
    summary: 'Ends a freeze before its time.',
    needs: 'operator of all that the pattern covers',
    query: z.strictObject({ pattern: PATTERN }),
    body: NO_BODY,
    answer: { status: 200, says: 'What has ended.', schema: LIFTED },
    refusals: [403, 404],
    run: async ({ house, caller, operation, query: { pattern } }) => {
      const answer = await house.freezes.lift(caller, pattern);
      if (answer.type === 'absent')
        return problemReply(operation, 'absent', { status: 404, message: `"${pattern}" is not frozen` });
      if (answer.type !== 'lifted') return refusalReply(operation, null, answer);
      return jsonReply(operation, { unfrozen: pattern });
    },
  }),
];
