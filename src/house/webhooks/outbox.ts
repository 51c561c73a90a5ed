import { createHash } from 'node:crypto';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Log } from '../../ports/log.ts';
import type { NamedRecord, Records } from '../records/records.ts';
import type { Receivers } from './receivers.ts';
import type { Delivery, WebhookEvent } from './records.ts';

/** Deliveries that wait at a time, of all webhooks, and of events that one subject caused. More are dropped. */
const WAITING_MAX = 1_000;
const WAITING_OF_SUBJECT_MAX = 50;
/** Deliveries that are done and remembered, so that nothing is told twice. The oldest are forgotten first. */
const DONE_MAX = 1_000;
/** Events that a node remembers to have put in, so that a crowd of refusals costs nothing more. */
const SEEN_MAX = 10_000;
/** Events that are being put in at a time. More are dropped. */
const PENDING_MAX = 100;

/** Where events wait to be sent: in the engine, so that a restart keeps them and any node can send them. */
export class Outbox {
  readonly #receivers: Receivers;
  readonly #deliveries: Records<Delivery>;
  readonly #engine: Pick<Engine, 'now'>;
  readonly #log: Log;
  readonly #seen = new Map<string, Instant>();
  #pending = 0;
  /** Events that found no room since the start of this node. */
  dropped = 0;

  constructor(options: {
    receivers: Receivers;
    deliveries: Records<Delivery>;
    engine: Pick<Engine, 'now'>;
    log: Log;
  }) {
    this.#receivers = options.receivers;
    this.#deliveries = options.deliveries;
    this.#engine = options.engine;
    this.#log = options.log;
  }

  /**
   * Puts an event in for each receiver that wants it, unless it was put in before, by whatever node.
   * @param subject who caused it; null for what nobody did
   * @param kept how long it is remembered that it was told: what still goes on then is told again
   * @returns whether there is something new to send
   */
  async put(event: WebhookEvent, subject: string | null, kept: Milliseconds): Promise<boolean> {
    const seen = this.#seen.get(event.id);
    if (subject !== null && seen !== undefined && event.at - seen < kept) return false;
    if (this.#pending >= PENDING_MAX) {
      this.#drop(event);
      return false;
    }
    this.#pending += 1;
    try {
      let isNew = false;
      for (const name of await this.#receivers.wanting(event))
        isNew = (await this.#putFor(name, event, subject, kept)) || isNew;
      this.#remember(event.id, event.at);
      return isNew;
    } finally {
      this.#pending -= 1;
    }
  }

  /** Those that wait, the oldest first. What need not be known any more is forgotten on the way. */
  async waiting(): Promise<readonly NamedRecord<Delivery>[]> {
    const now = await this.#engine.now();
    const all = await this.#deliveries.list();
    const names = await this.#receivers.names();
    const done = all.filter(({ record }) => record.doneAt !== null);
    const spare = done
      .toSorted((a, b) => (a.record.doneAt ?? 0) - (b.record.doneAt ?? 0))
      .slice(0, Math.max(0, done.length - DONE_MAX));
    const over = done.filter(({ record }) => record.keptUntil <= now);
    const orphans = all.filter(({ record }) => !names.has(record.webhook));
    const gone = new Set([...spare, ...over, ...orphans].map(({ name }) => name));
    if (gone.size > 0) await this.#deliveries.drop(null, ...gone);
    return all
      .filter(({ name, record }) => record.doneAt === null && !gone.has(name))
      .toSorted((a, b) => a.record.event.at - b.record.event.at);
  }

  async #putFor(
    webhook: string,
    event: WebhookEvent,
    subject: string | null,
    kept: Milliseconds,
  ): Promise<boolean> {
    const id = deliveryId(webhook, event);
    const known = await this.#deliveries.known();
    const now = await this.#engine.now();
    // One that is over is told again, because what it tells of goes on.
    const isOver = ({ doneAt, keptUntil }: Delivery): boolean => doneAt !== null && keptUntil <= now;
    if (known.some(({ name, record }) => name === id && !isOver(record))) return false;
    const waiting = known.filter(({ record }) => record.doneAt === null);
    const ofSubject = waiting.filter(({ record }) => subject !== null && record.subject === subject);
    if (waiting.length >= WAITING_MAX || ofSubject.length >= WAITING_OF_SUBJECT_MAX) {
      this.#drop(event);
      return false;
    }
    const keptUntil = now + kept;
    const fresh: Delivery = {
      webhook,
      event,
      subject,
      tries: 0,
      dueAt: now,
      claim: null,
      doneAt: null,
      keptUntil,
    };
    let isNew = false;
    await this.#deliveries.update(null, id, (before) => {
      isNew = before === null || isOver(before);
      return isNew ? fresh : before;
    });
    return isNew;
  }

  #remember(id: string, at: Instant): void {
    const [oldest] = this.#seen.size < SEEN_MAX ? [] : this.#seen.keys();
    if (oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.set(id, at);
  }

  #drop({ type }: WebhookEvent): void {
    if (this.dropped === 0)
      this.#log.error('an event for webhooks found no room and is dropped', { event: type });
    this.dropped += 1;
  }
}

/** Names the delivery of an event to a webhook: the same on every node. */
function deliveryId(webhook: string, { id }: WebhookEvent): string {
  return createHash('sha256').update(`${webhook}\n${id}`).digest('hex').slice(0, 32);
}
