import type { Milliseconds } from '../../core/instant.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { WebhookPost, WebhookRequest } from '../../ports/webhook-post.ts';
import type { NamedRecord, Records } from '../records/records.ts';
import { SharedRun } from '../shared-run.ts';
import type { Outbox } from './outbox.ts';
import type { Receivers } from './receivers.ts';
import type { Delivery, WebhookEvent } from './records.ts';

/** How often a node looks for what another one left, or what is to be tried again. */
const LOOK_MS: Milliseconds = 5_000;
/** How long the other nodes leave a delivery to the one that sends it: longer than a receiver may take. */
const CLAIM_MS: Milliseconds = 30_000;
/** Pauses after a failure; after the last one a delivery is given up, a good day after its event. */
const PAUSES: readonly Milliseconds[] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800].map(
  (seconds) => seconds * 1_000,
);

/** What came of sending something. */
export interface SendResult {
  readonly ok: boolean;
  /** null where there was no answer. */
  readonly status: number | null;
  /** What went wrong, without an address; null where nothing did. */
  readonly problem: string | null;
}

/**
 * Sends what waits in the outbox. Each delivery is claimed in the engine before it is sent, so that of all nodes one sends it; one
 * whose node died meanwhile is sent by another, maybe a second time, under the same id.
 */
export class WebhookSender {
  readonly #engine: Pick<Engine, 'now'>;
  readonly #receivers: Receivers;
  readonly #deliveries: Records<Delivery>;
  readonly #outbox: Outbox;
  readonly #post: WebhookPost;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #node: string;
  readonly #closing = new AbortController();
  /** The webhooks that something is being sent to: one thing at a time. */
  readonly #busy = new Map<string, Promise<void>>();
  #cancel: () => void = () => undefined;
  readonly #looking = new SharedRun(() => this.#look());
  sent = 0;
  failed = 0;
  givenUp = 0;

  constructor(options: {
    engine: Pick<Engine, 'now'>;
    receivers: Receivers;
    deliveries: Records<Delivery>;
    outbox: Outbox;
    post: WebhookPost;
    clock: Clock;
    log: Log;
    node: string;
  }) {
    this.#engine = options.engine;
    this.#receivers = options.receivers;
    this.#deliveries = options.deliveries;
    this.#outbox = options.outbox;
    this.#post = options.post;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#node = options.node;
  }

  start(): void {
    if (this.#closing.signal.aborted) return;
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      void this.look().finally(() => this.start());
    });
  }

  /** Sends what is due, and resolves when all of it has been begun. Never throws. */
  async look(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    await this.#looking.run().catch((fault: unknown) => {
      this.#log.warn('webhooks could not be looked after; it is tried again', { fault: String(fault) });
    });
  }

  /** Sends one event to one receiver at once, and says what came of it; null when it is gone. */
  async send(name: string, id: string, event: WebhookEvent): Promise<SendResult | null> {
    const request = await this.#receivers.request(name, { id, event, now: this.#clock.now() });
    return request === null ? null : this.post(request);
  }

  /** Sends a request at once, and says what came of it. */
  async post(request: WebhookRequest): Promise<SendResult> {
    try {
      const status = await this.#post(request, this.#closing.signal);
      const ok = status >= 200 && status < 300;
      return { ok, status, problem: ok ? null : `the receiver answered ${status}` };
    } catch (fault) {
      return { ok: false, status: null, problem: reasonOf(fault) };
    }
  }

  /** Breaks off what is being sent: it is sent again by whoever looks next. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    await this.#looking.join().catch(() => undefined);
    await Promise.all(this.#busy.values());
  }

  async #look(): Promise<void> {
    if (this.#closing.signal.aborted || (await this.#receivers.names()).size === 0) return;
    const now = await this.#engine.now();
    for (const delivery of await this.#outbox.waiting()) {
      const { webhook, dueAt, claim } = delivery.record;
      const isFree = dueAt <= now && (claim === null || claim.until <= now) && !this.#busy.has(webhook);
      if (!isFree || this.#closing.signal.aborted) continue;
      const work = this.#deliver(delivery)
        .catch((fault: unknown) =>
          this.#log.warn('an event could not be sent to a webhook; it is tried again', {
            webhook,
            fault: String(fault),
          }),
        )
        .finally(() => this.#busy.delete(webhook));
      this.#busy.set(webhook, work);
      // The next one for the same receiver need not wait for the next look.
      void work.then(() => (this.#closing.signal.aborted ? undefined : this.#goOn(webhook)));
    }
  }

  async #goOn(webhook: string): Promise<void> {
    const now = await this.#engine.now();
    const isDue = (await this.#deliveries.known()).some(
      ({ record }) => record.webhook === webhook && record.doneAt === null && record.dueAt <= now,
    );
    if (isDue) await this.look();
  }

  async #deliver({ name }: NamedRecord<Delivery>): Promise<void> {
    const claimed = await this.#claim(name);
    if (claimed === null) return;
    const { webhook, event, tries } = claimed;
    const result = await this.send(webhook, name, event);
    if (result === null || this.#closing.signal.aborted) return;
    if (result.ok) {
      this.sent += 1;
      await this.#settle(name, { doneAt: await this.#engine.now() });
      return;
    }
    this.failed += 1;
    const pause = PAUSES[tries];
    const facts = { webhook, event: event.type, delivery: name, problem: result.problem ?? '' };
    if (pause === undefined) {
      this.givenUp += 1;
      this.#log.error('an event could not be sent to a webhook and is given up', facts);
      await this.#settle(name, { doneAt: await this.#engine.now(), tries: tries + 1 });
      return;
    }
    this.#log.warn('an event could not be sent to a webhook; it is sent again', facts);
    await this.#settle(name, { tries: tries + 1, dueAt: (await this.#engine.now()) + pause });
  }

  /** @returns the delivery if it is this node's to send */
  async #claim(name: string): Promise<Delivery | null> {
    const now = await this.#engine.now();
    const claim = { node: this.#node, until: now + CLAIM_MS };
    let mine: Delivery | null = null;
    await this.#deliveries.update(null, name, (before) => {
      const isFree =
        before !== null &&
        before.doneAt === null &&
        before.dueAt <= now &&
        (before.claim === null || before.claim.until <= now);
      mine = isFree ? { ...before, claim } : null;
      return mine ?? before;
    });
    return mine;
  }

  async #settle(name: string, change: Partial<Delivery>): Promise<void> {
    await this.#deliveries.update(null, name, (before) =>
      before?.claim?.node === this.#node ? { ...before, ...change, claim: null } : before,
    );
  }
}

/** Says nothing of where the receiver is, because that may be its secret. */
function reasonOf(fault: unknown): string {
  if (!(fault instanceof Error)) return 'there was no answer';
  if (fault.name === 'TimeoutError' || fault.name === 'AbortError') return 'there was no answer in time';
  const { cause } = fault;
  const code = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' ? `there was no answer (${code})` : 'there was no answer';
}
