import { z } from 'zod';
import { problemReply } from '../../../protocols/wire/problem.ts';
import type { DoorReply } from '../../../protocols/door.ts';
import { jsonReply } from '../json-reply.ts';
import { WORD } from '../parameters.ts';
import { refusalReply } from '../refusal-reply.ts';
import { defineRoute, NO_BODY, NO_QUERY, type Route } from '../route.ts';
import {
  NEW_WEBHOOK,
  REMOVED,
  toWebhookShape,
  WEBHOOK_TEST,
  WEBHOOK_WANTED,
  WEBHOOKS,
} from '../shapes/webhook.ts';

const NEEDS = 'admin of the server';

/** Programs outside that are told what people should look at. */
export const WEBHOOK_ROUTES: readonly Route[] = [
  defineRoute({
    operation: 'list-webhooks',
    summary: 'Lists the webhooks, without their secrets.',
    needs: NEEDS,
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'The webhooks, by name.', schema: WEBHOOKS },
    refusals: [403],
    run: async ({ house, caller, operation }) => {
      const answer = await house.webhooks.list(caller);
      if (answer.type !== 'webhooks') return refusalReply(operation, null, answer);
      return jsonReply(operation, { webhooks: answer.webhooks.map(toWebhookShape) });
    },
  }),
  defineRoute({
    operation: 'set-webhook',
    summary: 'Creates a webhook, or replaces the one of that name. Its secret is shown in this answer only.',
    needs: NEEDS,
    about: 'The server sends messages to any URL that is given here, also inside your network.',
    query: NO_QUERY,
    body: WEBHOOK_WANTED,
    answer: { status: 201, says: 'The webhook, with its secret.', schema: NEW_WEBHOOK },
    refusals: [403, 422],
    run: async ({ house, caller, operation, body }) => {
      const answer = await house.webhooks.set(caller, body);
      if (answer.type === 'invalid')
        return problemReply(operation, 'invalid', { status: 422, message: answer.problem });
      if (answer.type !== 'set') return refusalReply(operation, null, answer);
      return jsonReply(operation, { ...toWebhookShape(answer.webhook), secret: answer.secret }, 201);
    },
  }),
  defineRoute({
    operation: 'test-webhook',
    summary: 'Sends a message to a webhook at once, and tells what came of it.',
    needs: NEEDS,
    query: NO_QUERY,
    body: z.strictObject({ name: WORD }).meta({ id: 'WebhookNamed' }),
    answer: { status: 200, says: 'What the receiver answered.', schema: WEBHOOK_TEST },
    refusals: [403, 404],
    run: async ({ house, caller, operation, body: { name } }) => {
      const answer = await house.webhooks.test(caller, name);
      if (answer.type === 'absent') return absent(operation);
      if (answer.type !== 'tested') return refusalReply(operation, null, answer);
      const { ok, status, problem } = answer;
      return jsonReply(operation, { ok, status, problem });
    },
  }),
  defineRoute({
    operation: 'remove-webhook',
    summary: 'Removes a webhook, and what waits to be sent to it.',
    needs: NEEDS,
    query: NO_QUERY,
    body: NO_BODY,
    answer: { status: 200, says: 'What is gone.', schema: REMOVED },
    refusals: [403, 404],
    run: async ({ house, caller, operation, name }) => {
      const answer = await house.webhooks.remove(caller, name);
      if (answer.type === 'absent') return absent(operation);
      if (answer.type !== 'removed') return refusalReply(operation, null, answer);
      return jsonReply(operation, { removed: name });
    },
  }),
];

function absent(operation: string): DoorReply {
  return problemReply(operation, 'absent', { status: 404, message: 'there is no such webhook' });
}
