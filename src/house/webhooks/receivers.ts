import type { Instant } from '../../core/instant.ts';
import type { WebhookRequest } from '../../ports/webhook-post.ts';
import type { WebhookEvent } from './records.ts';

/** One message, before it is written as its receiver takes it. */
export interface Message {
  /** The same if it is sent again. */
  readonly id: string;
  readonly event: WebhookEvent;
  readonly now: Instant;
}

/** Those who are told of events: what waits for them, and how it is sent, is the same for all kinds. */
export interface Receivers {
  /** All that there are. */
  names(): Promise<ReadonlySet<string>>;
  /** Those who are to be told of an event. */
  wanting(event: WebhookEvent): Promise<readonly string[]>;
  /** What one of them is sent; null when it is gone. */
  request(name: string, message: Message): Promise<WebhookRequest | null>;
}
