import { z } from 'zod';
import { formatAddress } from '../../../core/address.ts';
import { refusalReply } from '../refusal-reply.ts';
import { ADDRESS, ADDRESS_CURSOR, FLAG, given, LIMIT, PROJECT, SEARCH, WORD } from '../parameters.ts';
import { addressCursor } from '../cursor.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { ANNOUNCED, STATE, STATES, toStateShape, toVersionShape, VERSION } from '../shapes/state.ts';

const ONE = z.strictObject({ address: ADDRESS });

/** States as a whole: found, looked at, deleted and brought back. */
export const STATE_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-states',
    summary: 'Lists states, in the order of their addresses.',
    needs: 'reader; only what the caller may read is listed',
    query: z.strictObject({
      project: PROJECT.optional().describe('Only this project.'),
      prefix: WORD.optional().describe('Only keys that begin with this text.'),
      search: SEARCH.optional(),
      deleted: FLAG.default(false).describe('`true`: deleted states too.'),
      locked: FLAG.default(false).describe('`true`: only addresses that are locked.'),
      limit: LIMIT,
      cursor: ADDRESS_CURSOR,
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'A page of states.', schema: STATES },
    refusals: [],
    run: async ({ house, caller, operation, query: { prefix, cursor, ...query } }) => {
      const wanted = { ...given({ ...query, keyPrefix: prefix, after: cursor }), lines: true };
      const page = await house.states.list(caller, wanted);
      if (page.type !== 'page') return refusalReply(operation, null, page);
      const { states, next } = page;
      return jsonReply(operation, { states: states.map(toStateShape), next: addressCursor(next) });
    },
  }),
  defineRoute({
    operation: 'show-state',
    summary: 'Shows one state: its newest version and its lock, in short.',
    needs: 'reader of the address',
    query: ONE,
    body: NO_BODY,
    answer: { status: 200, says: 'The state.', schema: STATE },
    refusals: [403, 404],
    run: async ({ house, caller, operation, query: { address } }) => {
      const described = await house.states.describe(caller, address);
      if (described.type !== 'described') return refusalReply(operation, address, described);
      const { world } = described;
      if (world.record.head === null && world.holders.length === 0) {
        return refusalReply(operation, address, { type: 'absent' });
      }
      return jsonReply(operation, toStateShape({ address, world }));
    },
  }),
  defineRoute({
    operation: 'delete-state',
    summary: 'Deletes a state. Its versions are kept, and it can be undeleted, until it is purged.',
    needs: 'writer of the address',
    query: z.strictObject({
      address: ADDRESS,
      lock: WORD.optional().describe("The ID of the caller's lock, where it holds one."),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The version that was the newest.', schema: VERSION },
    refusals: [403, 404, 409, 423],
    run: async ({ house, caller, operation, query: { address, lock } }) => {
      const answer = await house.states.delete(caller, address, claimOf(lock));
      if (answer.type !== 'deleted') return refusalReply(operation, address, answer);
      return jsonReply(operation, toVersionShape(answer.version));
    },
  }),
  defineRoute({
    operation: 'announce-state',
    summary:
      'Lets a run make the first version of a state within a day, in a project that wants new states announced.',
    needs: 'writer of the address',
    query: ONE,
    body: NO_BODY,
    answer: { status: 200, says: 'The state that is expected.', schema: ANNOUNCED },
    refusals: [403, 409, 422],
    run: async ({ house, caller, operation, query: { address } }) => {
      const answer = await house.firstWrites.announce(caller, address);
      if (answer.type === 'present') {
        const message = `there is a state at ${formatAddress(address)}, or was: it needs no announcement`;
        return problemReply(operation, 'exists', { status: 409, message });
      }
      if (answer.type === 'invalid')
        return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
      if (answer.type !== 'announced') return refusalReply(operation, address, answer);
      const until = new Date(answer.until).toISOString();
      return jsonReply(operation, { address: formatAddress(address), until });
    },
  }),
  defineRoute({
    operation: 'undelete-state',
    summary: 'Brings a deleted state back as it was.',
    needs: 'writer of the address',
    query: ONE,
    body: NO_BODY,
    answer: { status: 200, says: 'The version that is the newest again.', schema: VERSION },
    refusals: [403, 404, 409],
    run: async ({ house, caller, operation, query: { address } }) => {
      const answer = await house.history.undelete(caller, address);
      if (answer.type !== 'undeleted') return refusalReply(operation, address, answer);
      return jsonReply(operation, toVersionShape(answer.version));
    },
  }),
  defineRoute({
    operation: 'purge-state',
    summary: 'Removes a deleted state with all its versions, for good, unless one of them is retained still.',
    needs: 'admin of the address',
    query: z.strictObject({
      address: ADDRESS,
      bypassRetention: FLAG.default(false).describe(
        '`true`: also where a version is retained by governance still. The audit log says so.',
      ),
    }),
    body: NO_BODY,
    answer: {
      status: 200,
      says: 'It is gone.',
      schema: z.strictObject({ purged: z.string().describe('The address.') }).meta({ id: 'Purged' }),
    },
    refusals: [403, 404, 409, 423],
    run: async ({ house, caller, operation, query: { address, bypassRetention } }) => {
      const answer = await house.history.purge(caller, address, { bypass: bypassRetention });
      if (answer.type !== 'purged') return refusalReply(operation, address, answer);
      return jsonReply(operation, { purged: formatAddress(address) });
    },
  }),
  defineRoute({
    operation: 'restore-version',
    summary: 'Restores an old version: its content becomes a new version, with the newest serial + 1.',
    needs: 'writer of the address',
    about:
      'Only the holder of the lock can restore a locked state, by naming the lock. A deleted state can be restored, too.',
    query: ONE,
    body: z
      .strictObject({
        version: z.int().min(1).describe('The version whose content is brought back.'),
        lockId: z.string().min(1).optional().describe("The ID of the caller's lock, where it holds one."),
      })
      .meta({ id: 'Restore' }),
    answer: { status: 200, says: 'The new version.', schema: VERSION },
    refusals: [403, 404, 409, 412, 423],
    run: async ({ house, caller, operation, query: { address }, body: { version, lockId } }) => {
      const answer = await house.history.restore(caller, address, version, claimOf(lockId));
      if (answer.type !== 'stored') return refusalReply(operation, address, answer, version);
      return jsonReply(operation, toVersionShape(answer.version));
    },
  }),
];

function claimOf(lockId: string | undefined): { kind: 'none' } | { kind: 'named'; lockId: string } {
  return lockId === undefined ? { kind: 'none' } : { kind: 'named', lockId };
}
