import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { numberCursor } from '../cursor.ts';
import { ADDRESS, given, LIMIT, NUMBER_CURSOR, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import { AUDIT_PAGE, INFO, ROTATION, toAuditShape, toRetentionShape, WHOAMI } from '../shapes/house.ts';
import { takeBackup } from '../take-backup.ts';

/** The house itself: what it is, what was done in it, and its keeping. */
export const HOUSE_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'whoami',
    summary: 'Says whom the house takes the caller for, and what it may do.',
    needs: 'any credential',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The caller.', schema: WHOAMI },
    refusals: [],
    run: async ({ caller: { identity }, operation }) =>
      jsonReply(operation, { subject: identity.subject, grants: identity.grants }),
  }),
  defineRoute({
    operation: 'info',
    summary: 'Says which version this house runs, and how it was started.',
    needs: 'any credential',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The house.', schema: INFO },
    refusals: [],
    run: async ({ house, operation, parts: { about, backUp } }) =>
      jsonReply(operation, {
        ...about,
        engine: house.about.engine,
        manyNodes: house.about.manyNodes,
        now: new Date(await house.now()).toISOString(),
        retention: toRetentionShape(about.retention),
        backup: backUp !== null,
      }),
  }),
  defineRoute({
    operation: 'list-audit',
    summary: 'Reads the audit log, newest first.',
    needs: 'admin of the house; with `address`, admin of that address',
    query: z.strictObject({
      address: ADDRESS.optional().describe('Only what concerns this address.'),
      action: WORD.optional().describe('Only this action: `write`, `lock`, `credential-create` …'),
      subject: WORD.optional().describe('Only what this subject did: `token:ci`.'),
      limit: LIMIT,
      cursor: NUMBER_CURSOR,
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'A page of records.', schema: AUDIT_PAGE },
    refusals: [403],
    run: async ({ house, caller, operation, query: { cursor, ...query } }) => {
      const answer = await house.audit.read(caller, given({ ...query, before: cursor }));
      if (answer.type !== 'records') return refusalReply(operation, query.address ?? null, answer);
      const { records } = answer;
      const last = records.length < query.limit ? null : (records.at(-1)?.id ?? null);
      return jsonReply(operation, { records: records.map(toAuditShape), next: numberCursor(last) });
    },
  }),
  defineRoute({
    operation: 'rotate-key',
    summary: 'Changes the master key, or seals everything anew under the one that was put first.',
    needs: 'admin of the house',
    about:
      'Where the house keeps its key in a file, a new key is made and the file is written anew. Where keys are given as text or shared by several nodes, put the new key first, the former one after it, restart every node, and then ask for this. The house stays open meanwhile; the answer comes when all is done.',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'Everything is sealed under this key.', schema: ROTATION },
    refusals: [403, 409],
    run: async ({ caller, operation, parts }) => {
      const answer = await parts.rotation.rotate(caller);
      if (answer.type === 'rotating') {
        const message = 'the key is being changed already';
        return problemReply(operation, 'rotating', { status: 409, message });
      }
      if (answer.type !== 'rotated') return refusalReply(operation, null, answer);
      const { keyId, newKey, sealedAnew } = answer;
      return jsonReply(operation, { keyId, newKey, sealedAnew });
    },
  }),
  defineRoute({
    operation: 'backup',
    summary: 'Gives a consistent copy of everything as it is at this moment.',
    needs: 'admin of the house',
    about:
      'The database file of the embedded engine, which `statehouse restore-backup` takes. States, lock infos and secrets in it are sealed under the master key, which is not in it. Of a damaged database a copy is given all the same, and the header `X-Statehouse-Damage` says what is wrong. A house on PostgreSQL is backed up by PostgreSQL.',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The database.', schema: null, type: 'application/vnd.sqlite3' },
    refusals: [403, 409],
    run: takeBackup,
  }),
];
