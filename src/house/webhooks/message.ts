import { createHmac } from 'node:crypto';
import type { WebhookRequest } from '../../ports/webhook-post.ts';
import type { Message } from './receivers.ts';
import type { WebhookEvent, WebhookFormat, WebhookTarget } from './records.ts';

/**
 * The request that tells a receiver of an event. `Statehouse-Signature` is `t=SECONDS,v1=HEX`: HMAC-SHA256 under the webhook's
 * secret, over the seconds since 1970, a dot and the body, so that what was recorded cannot be sent again later.
 */
export function webhookRequest(
  { url, secret }: WebhookTarget,
  format: WebhookFormat,
  { id, event, now }: Message,
): WebhookRequest {
  const body = format === 'slack' ? slackBody(event) : jsonBody(id, event);
  const seconds = Math.floor(now / 1_000);
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return {
    url,
    reach: 'any',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'statehouse',
      'statehouse-event': event.type,
      'statehouse-delivery': id,
      'statehouse-signature': `t=${seconds},v1=${signature}`,
    },
    body,
  };
}

function jsonBody(id: string, { type, at, address, message, facts }: WebhookEvent): string {
  return JSON.stringify({ id, event: type, at: new Date(at).toISOString(), address, message, facts });
}

/** Slack reads `<…>` as a link or a call to all, so that a name must not have it (api.slack.com, "Escaping text"). */
function slackBody({ message }: WebhookEvent): string {
  const text = message.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return JSON.stringify({ text });
}
