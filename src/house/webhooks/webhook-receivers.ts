import { matchesPattern } from '../../core/access.ts';
import { isAddress, parseAddress } from '../../core/address.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { WebhookRequest } from '../../ports/webhook-post.ts';
import type { Records } from '../records/records.ts';
import { webhookRequest } from './message.ts';
import type { Message, Receivers } from './receivers.ts';
import { openTarget, type StoredWebhook, type WebhookEvent } from './records.ts';

/** Webhooks as those who are told of events. */
export class WebhookReceivers implements Receivers {
  readonly #webhooks: Records<StoredWebhook>;
  readonly #engine: Pick<Engine, 'body'>;
  readonly #sealer: Sealer;

  constructor(webhooks: Records<StoredWebhook>, engine: Pick<Engine, 'body'>, sealer: Sealer) {
    this.#webhooks = webhooks;
    this.#engine = engine;
    this.#sealer = sealer;
  }

  async names(): Promise<ReadonlySet<string>> {
    return new Set((await this.#webhooks.known()).map(({ name }) => name));
  }

  async wanting(event: WebhookEvent): Promise<readonly string[]> {
    const known = await this.#webhooks.known();
    return known.filter(({ record }) => wants(record, event)).map(({ name }) => name);
  }

  async request(name: string, message: Message): Promise<WebhookRequest | null> {
    const found = (await this.#webhooks.list()).find((one) => one.name === name);
    const body = found?.bodyId == null ? null : await this.#engine.body(found.bodyId);
    if (found === undefined || body === null) return null;
    const target = await openTarget(this.#sealer, body, (bodyId) => this.#engine.body(bodyId));
    return webhookRequest(target, found.record.format, message);
  }
}

/** Whether a webhook is to be told of an event. */
function wants({ events, pattern }: StoredWebhook, { type, address }: WebhookEvent): boolean {
  if (!events.some((event) => event === type)) return false;
  if (address === null) return pattern === '*';
  const parsed = parseAddress(address);
  return isAddress(parsed) && matchesPattern(pattern, parsed);
}
