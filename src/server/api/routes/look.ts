import { z } from 'zod';
import type { BlockShape } from '../../../api/shapes/look.ts';
import { SERVED_BACKENDS } from '../../../protocols/backends.ts';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { ADDRESS, FLAG, WORD } from '../parameters.ts';
import { jsonReply } from '../json-reply.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { BLOCKS, HOUSE, RIGHTS } from '../shapes/look.ts';

const PLACEHOLDERS = { id: 'ID', secret: 'SECRET' };

/** What people look at besides states: how to come in, who may what, and how the server is. */
export const LOOK_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-blocks',
    summary: 'Shows the backend block for an address, one for each backend that reaches this server.',
    needs: 'any credential',
    about:
      'They name the server as the request did. `ID` and `SECRET` stand for a credential. It is not looked whether there is a state.',
    query: z.strictObject({ address: ADDRESS }),
    body: NO_BODY,
    answer: { status: 200, says: 'The blocks, and what they need besides.', schema: BLOCKS },
    refusals: [],
    run: async ({ request, operation, query: { address } }) => {
      const target = {
        url: request.origin ?? 'http://localhost',
        address,
        credential: PLACEHOLDERS,
        caPath: null,
        variables: false,
      };
      const blocks = SERVED_BACKENDS.map(({ name, snippet }): BlockShape => {
        const { block, files, environment, notes } = snippet(target);
        return {
          backend: name,
          block,
          files: files.map(({ path, text }) => ({ path, text })),
          environment: environment.map((variable) => ({ name: variable.name, value: variable.value })),
          notes,
        };
      });
      return jsonReply(operation, { blocks });
    },
  }),
  defineRoute({
    operation: 'list-rights',
    summary: 'Shows what may be done at an address: by the caller, by one credential, or by every one.',
    needs: 'any credential for its own rights, else admin of the server',
    query: z.strictObject({
      address: ADDRESS,
      credential: WORD.optional().describe('The id of a credential; the caller itself if it is left out.'),
      all: FLAG.default(false).describe('`true`: every credential that is not revoked.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'Who may what, and by which grants.', schema: RIGHTS },
    refusals: [403, 404],
    run: async ({ house, caller, operation, query: { address, credential, all } }) => {
      const whose = all ? 'all' : credential === undefined ? 'self' : { id: credential };
      const answer = await house.rights.at(caller, address, whose);
      if (answer.type === 'absent') {
        return problemReply(operation, 'absent', { status: 404, message: 'there is no such credential' });
      }
      if (answer.type !== 'rights') return refusalReply(operation, null, answer);
      return jsonReply(operation, { rights: answer.rights });
    },
  }),
  defineRoute({
    operation: 'show-house',
    summary: 'Shows how the server is: what it keeps, its disk, nodes, backup, certificate and master key.',
    needs: 'admin of the server',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The server.', schema: HOUSE },
    refusals: [403],
    run: async ({ house, caller, operation, parts: { about, wholeFile, machine } }) => {
      const refusal = house.refuse(caller, 'manage');
      if (refusal !== null) return refusalReply(operation, null, refusal);
      const last = await house.backups.last();
      return jsonReply(operation, {
        version: about.version,
        engine: house.about.engine,
        now: new Date(await house.now()).toISOString(),
        stored: await house.storedFigures(),
        disk: await machine.disk(),
        backup: { possible: wholeFile !== null, last: toTime(last) },
        nodes: house.nodes.map((node) => ({ node, self: node === house.node })),
        lagMs: house.lag,
        certificateEnds: toTime(machine.certificateEnds()),
        masterKeySeals: house.seals,
        parked: house.parked,
        reencrypting: await house.isReencrypting(),
      });
    },
  }),
];

function toTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
