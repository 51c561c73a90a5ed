import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import { FLAG } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { jsonReply } from '../json-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import {
  CREDENTIAL,
  CREDENTIALS,
  GRANT,
  NEW_CREDENTIAL,
  REVOKED_CREDENTIAL,
  toCredentialShape,
  toHeldLockShape,
} from '../shapes/house.ts';

/** Who may enter. */
export const CREDENTIAL_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-credentials',
    summary: 'Lists all credentials, revoked and expired ones too, without their secrets.',
    needs: 'admin of the server',
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The credentials, oldest first.', schema: CREDENTIALS },
    refusals: [403],
    run: async ({ house, caller, operation }) => {
      const answer = await house.credentials.list(caller);
      if (answer.type !== 'credentials') return refusalReply(operation, null, answer);
      return jsonReply(operation, { credentials: answer.credentials.map(toCredentialShape) });
    },
  }),
  defineRoute({
    operation: 'create-credential',
    summary: 'Creates a credential. Its secret is shown in this answer only.',
    needs: 'admin of the server',
    query: NO_QUERY,
    body: z
      .strictObject({
        name: z.string().describe('Locks, versions and the audit log say `token:<name>`.'),
        grants: z.array(GRANT).min(1),
        expiresAt: z.iso.datetime({ offset: true }).nullable().default(null).describe('null for never.'),
      })
      .meta({ id: 'CredentialWanted' }),
    answer: { status: 201, says: 'The credential, with its secret.', schema: NEW_CREDENTIAL },
    refusals: [403, 422],
    run: async ({ house, caller, operation, body: { name, grants, expiresAt } }) => {
      const wanted = { name, grants, expiresAt: expiresAt === null ? null : Date.parse(expiresAt) };
      const made = await house.credentials.create(caller, wanted);
      if (made.type === 'invalid') {
        return problemReply(operation, 'invalid', { status: 422, message: made.problem });
      }
      if (made.type !== 'created') return refusalReply(operation, null, made);
      return jsonReply(operation, { ...toCredentialShape(made.credential), secret: made.secret }, 201);
    },
  }),
  defineRoute({
    operation: 'change-credential',
    summary: 'Changes what a credential may do, or until when. Its secret, its name and its locks stay.',
    needs: 'admin of the server',
    about:
      'What the credential has under way and may not do any more ends at once, on other nodes within 2.5 seconds: writes, uploads, requests that wait for a lock, event streams. What is left out stays as it is. A revoked credential stays revoked.',
    query: NO_QUERY,
    body: z
      .strictObject({
        grants: z.array(GRANT).min(1).optional().describe('All that it may do from now on.'),
        expiresAt: z.iso.datetime({ offset: true }).nullable().optional().describe('null for never.'),
      })
      .refine(({ grants, expiresAt }) => grants !== undefined || expiresAt !== undefined, {
        error: 'expected grants, expiresAt or both',
      })
      .meta({ id: 'CredentialChange' }),
    answer: { status: 200, says: 'The credential as it is now.', schema: CREDENTIAL },
    refusals: [403, 404, 422],
    run: async ({ house, caller, operation, name, body: { grants, expiresAt } }) => {
      const answer = await house.credentials.change(caller, name, {
        ...(grants === undefined ? {} : { grants }),
        ...(expiresAt === undefined ? {} : { expiresAt: expiresAt === null ? null : Date.parse(expiresAt) }),
      });
      if (answer.type === 'invalid')
        return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
      if (answer.type === 'absent')
        return problemReply(operation, 'absent', { status: 404, message: 'there is no such credential' });
      if (answer.type !== 'changed') return refusalReply(operation, null, answer);
      return jsonReply(operation, toCredentialShape(answer.credential));
    },
  }),
  defineRoute({
    operation: 'revoke-credential',
    summary:
      'Revokes a credential at once and for good. It may not write any more, not even under a lock that it holds, and what it has under way ends.',
    needs: 'admin of the server',
    about:
      'Writes, uploads and event streams that are under way and requests that wait for a lock end at once, on other nodes within 2.5 seconds. The locks that the credential holds stay until an operator breaks them, or are broken with it if `breakLocks` is `true`.',
    query: z.strictObject({
      breakLocks: FLAG.default(false).describe('Whether the locks that it holds are broken, too.'),
    }),
    body: NO_BODY,
    answer: { status: 200, says: 'The credential, revoked.', schema: REVOKED_CREDENTIAL },
    refusals: [403, 404],
    run: async ({ house, caller, operation, name, query: { breakLocks } }) => {
      const answer = await house.credentials.revoke(caller, name, { breaks: breakLocks });
      if (answer.type === 'absent') {
        return problemReply(operation, 'absent', { status: 404, message: 'there is no such credential' });
      }
      if (answer.type !== 'revocation') return refusalReply(operation, null, answer);
      return jsonReply(operation, {
        ...toCredentialShape(answer.credential),
        broken: answer.broken.map(toHeldLockShape),
      });
    },
  }),
];
