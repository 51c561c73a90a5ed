import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { numberCursor } from '../cursor.ts';
import { ADDRESS, AUDIT_ACTION, FLAG, given, LIMIT, MOMENT, NUMBER_CURSOR, WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import {
  AUDIT_FOLLOWED,
  AUDIT_HEAD,
  AUDIT_PAGE,
  CHECKED,
  INFO,
  REENCRYPTION,
  ROTATION,
  toAuditShape,
  toRetentionShape,
  WHOAMI,
} from '../shapes/house.ts';
import { checkWholeFile, takeBackup } from '../take-backup.ts';

const AUDIT_FILTER = {
  address: ADDRESS.optional().describe('Only what concerns this address.'),
  action: AUDIT_ACTION.optional().describe('Only this action: `write`, `lock`, `credential-create` …'),
  subject: WORD.optional().describe('Only what this subject did: `token:ci`.'),
  since: MOMENT.optional().describe('Only what was done at this time or later: `2026-01-31T12:00:00Z`.'),
  until: MOMENT.optional().describe('Only what was done before this time.'),
  refused: FLAG.default(false).describe('`true`: only what was refused.'),
};

/** A place in the audit log. */
const AFTER: z.ZodType<number, number> = z.coerce.number<number>().int().min(0);

/** Names a body, as the engine does. */
const PLACE: z.ZodString = z.string().regex(/^[\w-]{1,64}$/);

/** The house itself: what it is, what was done in it, and its keeping. */
export const HOUSE_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'whoami',
    summary: 'Shows who the caller is, as authenticated, and what it may do.',
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
    summary: 'Shows which version the server runs and how it was started.',
    needs: 'any credential',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The server.', schema: INFO },
    refusals: [],
    run: async ({ house, operation, parts: { about, wholeFile } }) =>
      jsonReply(operation, {
        ...about,
        engine: house.about.engine,
        manyNodes: house.about.manyNodes,
        now: new Date(await house.now()).toISOString(),
        retention: toRetentionShape(about.retention),
        backup: wholeFile !== null,
      }),
  }),
  defineRoute({
    operation: 'list-audit',
    summary: 'Reads the audit log, newest first.',
    needs: 'admin of the server; with `address`, admin of that address',
    query: z.strictObject({
      ...AUDIT_FILTER,
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
    operation: 'follow-audit',
    summary: 'Reads what was written to the audit log after a place in it, oldest first.',
    needs: 'admin of the server; with `address`, admin of that address',
    about:
      'Without `after` it tells the present end of the log and no record. Asked again with the `after` of each answer, it tells of every record once, however many nodes write.',
    query: z.strictObject({
      ...AUDIT_FILTER,
      limit: LIMIT,
      after: AFTER.optional().describe('The `after` of the answer before.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'What was written.', schema: AUDIT_FOLLOWED },
    refusals: [403],
    run: async ({ house, caller, operation, query: { after, ...query } }) => {
      const asked = { ...given(query), after: after ?? null };
      const answer = await house.audit.follow(caller, asked);
      if (answer.type !== 'stretch') return refusalReply(operation, query.address ?? null, answer);
      const { records, position, pruned = false } = answer;
      return jsonReply(operation, { records: records.map(toAuditShape), after: position, pruned });
    },
  }),
  defineRoute({
    operation: 'show-audit-head',
    summary: 'Shows where the audit log ends.',
    needs: 'admin of the server',
    about:
      'Kept where those who can write the database cannot change it, it later shows whether the log still goes on from here. On several nodes each tells of what it has written itself.',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The head of the log.', schema: AUDIT_HEAD },
    refusals: [403],
    run: async ({ house, caller, operation }) => {
      const answer = await house.audit.head(caller);
      if (answer.type !== 'head') return refusalReply(operation, null, answer);
      return jsonReply(operation, { head: answer.head });
    },
  }),
  defineRoute({
    operation: 'rotate-key',
    summary: 'Changes the master key, or encrypts everything again under the first of the given keys.',
    needs: 'admin of the server',
    about:
      'If the server keeps its key in a file, it creates a new key and writes the file again. If keys are given as text or shared by several nodes, put the new key first and the former one after it, restart every node, and then send this request. The server goes on serving meanwhile, and answers when all is done. Data keys, secrets and lock infos are encrypted again; states are not touched.',
    query: z.strictObject({
      reencrypt: FLAG.default(false).describe(
        '`true`: the states are to be encrypted again, too, by `/rotate-key/reencrypt`. Where that was begun and is not done, no new key is created.',
      ),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'Everything is encrypted under this key.', schema: ROTATION },
    refusals: [403, 409],
    run: async ({ caller, operation, parts, query }) => {
      const answer = await parts.rotation.rotate(caller, query);
      if (answer.type === 'rotating') {
        const message = 'the master key is being changed already: try again when that is done';
        return problemReply(operation, 'rotating', { status: 409, message });
      }
      if (answer.type !== 'rotated') return refusalReply(operation, null, answer);
      const { keyId, newKey, sealedAnew } = answer;
      return jsonReply(operation, { keyId, newKey, sealedAnew });
    },
  }),
  defineRoute({
    operation: 'reencrypt',
    summary: 'Encrypts states again whose data keys were made under a former master key, for some seconds.',
    needs: 'admin of the server',
    about:
      'Send it again with `after` until it is null in the answer. It can be interrupted at any moment, and begun again: what is done stays done. The server goes on serving meanwhile. Refused writes and unfinished uploads are left alone: they end after some days.',
    query: z.strictObject({
      after: PLACE.optional().describe('The `after` of the answer before; left out to begin.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'How far it got.', schema: REENCRYPTION },
    refusals: [403],
    run: async ({ caller, operation, parts, query: { after } }) => {
      const answer = await parts.rotation.reencrypt(caller, after ?? null);
      if (answer.type !== 'reencrypted') return refusalReply(operation, null, answer);
      const { keyId, done, damaged, next, left } = answer;
      return jsonReply(operation, { keyId, done, damaged, after: next, left });
    },
  }),
  defineRoute({
    operation: 'backup',
    summary: 'Sends a consistent copy of all data as it is at this moment.',
    needs: 'admin of the server',
    about:
      'The copy is a database file of the embedded engine; `statehouse restore-backup` reads it. States, lock infos and secrets in it are encrypted under the master key, which is not in it. A damaged database is copied as well; the header `X-Statehouse-Damage` then says what is wrong. If the data is in PostgreSQL, back it up with the tools of PostgreSQL.',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The database.', schema: null, type: 'application/vnd.sqlite3' },
    refusals: [403, 409],
    run: takeBackup,
  }),
  defineRoute({
    operation: 'check',
    summary: 'Looks at every page of the database, while the server goes on.',
    needs: 'admin of the server',
    about:
      'It finds pages that a disk has changed, and indexes that disagree with their tables. What was changed inside of rows and states is found by their codes, when they are read and by `statehouse audit verify`. If the data is in PostgreSQL, use its own tools, such as `pg_amcheck` and data checksums.',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'What is wrong.', schema: CHECKED },
    refusals: [403, 409],
    run: checkWholeFile,
  }),
];
