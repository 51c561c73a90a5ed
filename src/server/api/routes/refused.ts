import { z } from 'zod';
import { jsonReply } from '../json-reply.ts';
import { ADDRESS, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { DROPPED, REFUSED_WRITES, toRefusedShape } from '../shapes/refused.ts';

const ONE = z.strictObject({ address: ADDRESS, id: WORD.describe('Its ID.') });
const WHOSE = "reader of the address for one's own, operator of the address for another's";

/** Writes that were refused, for whoever sent them to rescue. */
export const REFUSED_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-refused',
    summary: 'Lists the refused writes that are kept, newest first.',
    needs: WHOSE,
    about: 'At most 1,024 are kept.',
    query: z.strictObject({ address: ADDRESS.optional().describe('Only those of this state.') }),
    body: NO_BODY,
    answer: { status: 200, says: 'Those that the caller may read.', schema: REFUSED_WRITES },
    refusals: [],
    run: async ({ house, caller, operation, query: { address = null } }) => {
      const answer = await house.refusedWrites.list(caller, address);
      if (answer.type !== 'refused-writes') return refusalReply(operation, address, answer);
      return jsonReply(operation, { writes: answer.writes.map(toRefusedShape) });
    },
  }),
  defineRoute({
    operation: 'download-refused',
    summary: 'Gives the bytes of a refused write, exactly as they were sent.',
    needs: WHOSE,
    about: 'Nothing is masked.',
    query: ONE,
    body: NO_BODY,
    answer: { status: 200, says: 'The state.', schema: null, type: 'application/json' },
    refusals: [404],
    run: async ({ house, caller, operation, query: { address, id } }) => {
      const answer = await house.refusedWrites.read(caller, address, id);
      if (answer.type !== 'found') return refusalReply(operation, address, answer);
      const headers = {
        'content-type': 'application/json',
        'content-length': String(answer.write.size),
        'cache-control': 'no-store',
      };
      return { operation, status: 200, headers, body: answer.bytes.plain() };
    },
  }),
  defineRoute({
    operation: 'drop-refused',
    summary: 'Drops a refused write before its time is over.',
    needs: "writer of the address for one's own, operator of the address for another's",
    query: ONE,
    body: NO_BODY,
    answer: { status: 200, says: 'What was dropped.', schema: DROPPED },
    refusals: [404],
    run: async ({ house, caller, operation, query: { address, id } }) => {
      const answer = await house.refusedWrites.drop(caller, address, id);
      if (answer.type !== 'dropped') return refusalReply(operation, address, answer);
      return jsonReply(operation, { dropped: id });
    },
  }),
];
