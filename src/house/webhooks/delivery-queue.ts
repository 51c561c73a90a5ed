import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { WebhookPost, WebhookRequest } from '../../ports/webhook-post.ts';
import type { Records } from '../records/records.ts';
import { Outbox } from './outbox.ts';
import type { Receivers } from './receivers.ts';
import type { Delivery, WebhookEvent } from './records.ts';
import { WebhookSender, type SendResult } from './sender.ts';

/** Deliveries of this node since its start, by what came of them. */
export interface WebhookCounts {
  readonly sent: number;
  readonly failed: number;
  readonly givenUp: number;
  readonly dropped: number;
}

/** What is told to the receivers of one kind: what waits, and who sends it. Each kind has room of its own. */
export class DeliveryQueue {
  readonly #outbox: Outbox;
  readonly #sender: WebhookSender;

  constructor(options: {
    deliveries: Records<Delivery>;
    receivers: Receivers;
    engine: Pick<Engine, 'now'>;
    post: WebhookPost;
    clock: Clock;
    log: Log;
    node: string;
  }) {
    this.#outbox = new Outbox(options);
    this.#sender = new WebhookSender({ ...options, outbox: this.#outbox });
  }

  get counts(): WebhookCounts {
    const { sent, failed, givenUp } = this.#sender;
    return { sent, failed, givenUp, dropped: this.#outbox.dropped };
  }

  /**
   * Tells all who want it of an event, each once, whichever node tells it and however often.
   * @param subject who caused it, and has a share of what may wait; null for what nobody did
   * @param kept how long it is remembered that it was told
   */
  async put(event: WebhookEvent, subject: string | null, kept: Milliseconds): Promise<void> {
    if (await this.#outbox.put(event, subject, kept)) await this.#sender.look();
  }

  /** Sends one event to one receiver at once, and says what came of it; null when it is gone. */
  send(name: string, id: string, event: WebhookEvent): Promise<SendResult | null> {
    return this.#sender.send(name, id, event);
  }

  /** Sends a request at once, and says what came of it. */
  post(request: WebhookRequest): Promise<SendResult> {
    return this.#sender.post(request);
  }

  /** Sends what is due. */
  look(): Promise<void> {
    return this.#sender.look();
  }

  start(): void {
    this.#sender.start();
  }

  /** What is not sent yet stays, for the next start or another node. */
  close(): Promise<void> {
    return this.#sender.close();
  }
}
