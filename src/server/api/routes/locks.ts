import { z } from 'zod';
import { addressCursor } from '../cursor.ts';
import { ADDRESS, ADDRESS_CURSOR, given, LIMIT, PROJECT, SEARCH, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { LOCK, LOCKS, PAST_HOLDS, RELEASED, toLockShape, toPastHoldShape } from '../shapes/lock.ts';

/** Who holds locks, who waits for them, and breaking them. */
export const LOCK_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-locks',
    summary: 'Lists the locks that are held, each with who waits for it.',
    needs: 'reader; only what the caller may read is listed',
    query: z.strictObject({
      project: PROJECT.optional().describe('Only this project.'),
      prefix: WORD.optional().describe('Only keys that begin with this text.'),
      search: SEARCH.optional(),
      limit: LIMIT,
      cursor: ADDRESS_CURSOR,
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'A page of locks, in the order of their addresses.', schema: LOCKS },
    refusals: [],
    run: async ({ house, caller, operation, query: { prefix, cursor, ...query } }) => {
      const wanted = given({ ...query, keyPrefix: prefix, after: cursor });
      const answer = await house.locks.list(caller, wanted);
      if (answer.type !== 'locks') return refusalReply(operation, null, answer);
      const { locks, next } = answer;
      const now = await house.now();
      return jsonReply(operation, {
        locks: locks.map((lock) => toLockShape(lock, now)),
        next: addressCursor(next),
      });
    },
  }),
  defineRoute({
    operation: 'show-lock',
    summary: 'Shows who holds the lock of a state and who waits for it.',
    needs: 'reader of the address',
    query: z.strictObject({ address: ADDRESS }),
    body: NO_BODY,
    answer: { status: 200, says: 'The lock; without holders when it is free.', schema: LOCK },
    refusals: [403],
    run: async ({ house, caller, operation, query: { address } }) => {
      const answer = await house.locks.show(caller, address);
      if (answer.type !== 'shown') return refusalReply(operation, address, answer);
      return jsonReply(operation, toLockShape(answer.lock, await house.now()));
    },
  }),
  defineRoute({
    operation: 'list-holds',
    summary: 'Lists the last holds of a lock that have ended.',
    needs: 'reader of the address',
    about:
      'Those of which the last 200 records of the audit log about the address tell the beginning and the end.',
    query: z.strictObject({ address: ADDRESS }),
    body: NO_BODY,
    answer: { status: 200, says: 'The holds.', schema: PAST_HOLDS },
    refusals: [403],
    run: async ({ house, caller, operation, query: { address } }) => {
      const answer = await house.locks.past(caller, address);
      if (answer.type !== 'holds') return refusalReply(operation, address, answer);
      return jsonReply(operation, { holds: answer.holds.map(toPastHoldShape) });
    },
  }),
  defineRoute({
    operation: 'force-unlock',
    summary: "Releases the caller's own lock or, as an operator, another's.",
    needs: "operator of the address; writer for the caller's own lock",
    about:
      'The ID must be that of a held lock, so that only a lock that was seen is broken. The former holder loses the lock: its later writes are refused.',
    query: z.strictObject({ address: ADDRESS }),
    body: z
      .strictObject({ lockId: z.string().min(1).describe('The ID of the lock.') })
      .meta({ id: 'ForceUnlock' }),
    answer: { status: 200, says: 'What was released.', schema: RELEASED },
    refusals: [403, 409],
    run: async ({ house, caller, operation, query: { address }, body: { lockId } }) => {
      const answer = await house.locks.unlock(caller, address, { lockId, alias: null });
      if (answer.type !== 'released') return refusalReply(operation, address, answer);
      return jsonReply(operation, { released: answer.lockIds, broken: answer.broken });
    },
  }),
];
