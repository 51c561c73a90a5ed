import { z } from 'zod';
import type {
  NewWebhookShape,
  WebhookShape,
  WebhookTestShape,
  WebhookWantedShape,
} from '../../../api/shapes/webhook.ts';
import { WEBHOOK_EVENTS, WEBHOOK_FORMATS } from '../../../house/webhooks/records.ts';
import type { WebhookView } from '../../../house/webhooks/webhooks.ts';
import { WORD } from '../parameters.ts';
import { instant, objectOf, text } from './plain.ts';

const EVENTS = z.array(z.enum(WEBHOOK_EVENTS));
const FIELDS = {
  name: text('Its name.'),
  host: text('The host of the receiver; the rest of its URL is shown nowhere.'),
  events: EVENTS.describe('What it is told of.'),
  pattern: text('`project/key@workspace`, where `*` is any text; `*` alone also for what concerns no state.'),
  format: z.enum(WEBHOOK_FORMATS).describe('JSON of our own, or as Slack and its like take it.'),
  createdAt: instant('When it was made.'),
  createdBy: text('Who made it, as authenticated.'),
};

const WEBHOOK: z.ZodType<WebhookShape> = objectOf<WebhookShape>(FIELDS).meta({ id: 'Webhook' });

export const WEBHOOKS: z.ZodType<{ readonly webhooks: readonly WebhookShape[] }> = z
  .strictObject({ webhooks: z.array(WEBHOOK) })
  .meta({ id: 'Webhooks' });

export const NEW_WEBHOOK: z.ZodType<NewWebhookShape> = objectOf<NewWebhookShape>({
  ...FIELDS,
  secret: text('What messages are signed with. Shown in this answer only.'),
}).meta({ id: 'NewWebhook' });

export const WEBHOOK_WANTED: z.ZodType<
  { readonly [K in keyof WebhookWantedShape]-?: Exclude<WebhookWantedShape[K], undefined> },
  WebhookWantedShape
> = z
  .strictObject({
    name: WORD.describe('Lower-case letters, digits and hyphens.'),
    url: z.string().min(1).max(2_000).describe('Where messages are sent, `https://…`.'),
    events: EVENTS.default([...WEBHOOK_EVENTS]).describe('What it is told of: all if it is left out.'),
    pattern: WORD.default('*').describe('`project/key@workspace`, where `*` is any text.'),
    format: z.enum(WEBHOOK_FORMATS).default('json'),
    secret: z.string().max(200).nullable().default(null).describe('null to have one created.'),
  })
  .meta({ id: 'WebhookWanted' });

export const WEBHOOK_TEST: z.ZodType<WebhookTestShape> = objectOf<WebhookTestShape>({
  ok: z.boolean().describe('Whether the receiver answered with 2xx.'),
  status: z.int().nullable().describe('Its answer; null where there was none in 10 seconds.'),
  problem: z.string().nullable().describe('What went wrong; null where nothing did.'),
}).meta({ id: 'WebhookTest' });

export const REMOVED: z.ZodType<{ readonly removed: string }> = z
  .strictObject({ removed: text('The name of the webhook that is gone.') })
  .meta({ id: 'RemovedWebhook' });

export function toWebhookShape({ createdAt, ...webhook }: WebhookView): WebhookShape {
  return { ...webhook, createdAt: new Date(createdAt).toISOString() };
}
