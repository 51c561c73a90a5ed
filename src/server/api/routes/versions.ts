import { z } from 'zod';
import { stateReply } from '../../../protocols/wire/state-reply.ts';
import { numberCursor } from '../cursor.ts';
import { ADDRESS, given, LIMIT, NUMBER_CURSOR, VERSION_NUMBER } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, type Route } from '../route.ts';
import { toVersionShape, VERSION, VERSIONS } from '../shapes/state.ts';

/** The versions of a state, as they are kept. */
export const VERSION_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-versions',
    summary: 'Lists the versions of a state, newest first; those of a deleted one too.',
    needs: 'reader of the address',
    query: z.strictObject({ address: ADDRESS, limit: LIMIT, cursor: NUMBER_CURSOR }),
    body: NO_BODY,
    answer: {
      status: 200,
      says: 'A page of versions; empty for an address that has none.',
      schema: VERSIONS,
    },
    refusals: [403],
    run: async ({ house, caller, operation, query: { address, limit, cursor } }) => {
      const answer = await house.history.versions(caller, address, given({ limit, before: cursor }));
      if (answer.type !== 'versions') return refusalReply(operation, address, answer);
      const { versions } = answer;
      const last = versions.length < limit ? null : (versions.at(-1)?.number ?? null);
      return jsonReply(operation, { versions: versions.map(toVersionShape), next: numberCursor(last) });
    },
  }),
  defineRoute({
    operation: 'show-version',
    summary: 'Shows one version of a state, without its content.',
    needs: 'reader of the address',
    query: z.strictObject({ address: ADDRESS, version: VERSION_NUMBER.describe('Its number.') }),
    body: NO_BODY,
    answer: { status: 200, says: 'The version.', schema: VERSION },
    refusals: [403, 404],
    run: async ({ house, caller, operation, query: { address, version } }) => {
      const answer = await house.history.version(caller, address, version);
      if (answer.type !== 'version') return refusalReply(operation, address, answer, version);
      return jsonReply(operation, toVersionShape(answer.version));
    },
  }),
  defineRoute({
    operation: 'download-version',
    summary: 'Gives the bytes of a version, exactly as they were sent.',
    needs: 'reader of the address',
    about: 'With an ETag, `If-None-Match` and gzip. Nothing is masked.',
    query: z.strictObject({
      address: ADDRESS,
      version: VERSION_NUMBER.optional().describe('The newest one if it is left out.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The state.', schema: null, type: 'application/json' },
    refusals: [304, 403, 404],
    run: async ({ house, caller, operation, request, query: { address, version = null } }) => {
      const answer = await house.states.read(caller, address, version);
      if (answer.type !== 'found') return refusalReply(operation, address, answer, version);
      return stateReply(operation, answer, request);
    },
  }),
];
