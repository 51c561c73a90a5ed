import { formatAddress } from '../../core/address.ts';
import type { AddressCommand } from '../../core/command.ts';
import { patternProblem } from '../../core/grant.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Result } from '../../core/outcome.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { WebhookPost } from '../../ports/webhook-post.ts';
import type { Audit } from '../audit.ts';
import type { Backups } from '../backups.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import { newSecret } from '../identity/new-pair.ts';
import type { RecordOwner, Records } from '../records/records.ts';
import { Lookout, type AlarmSettings } from './lookout.ts';
import { DeliveryQueue, type WebhookCounts } from './delivery-queue.ts';
import type { RecordDefinition } from '../records/define.ts';
import type { Receivers } from './receivers.ts';
import {
  DELIVERIES,
  sealTarget,
  WEBHOOKS,
  type Delivery,
  type StoredWebhook,
  type WebhookEvent,
  type WebhookEventType,
} from './records.ts';
import type { SendResult } from './sender.ts';
import { urlProblem } from './receiver-url.ts';
import { WebhookReceivers } from './webhook-receivers.ts';

const WEBHOOKS_MAX = 20;
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
const SECRET = /^[!-~]{16,200}$/;
/** Refusals of one subject at one address within this time are one event. */
const REFUSALS_TOGETHER: Milliseconds = 600_000;

/** A webhook, as it is shown. */
export interface WebhookView extends StoredWebhook {
  readonly name: string;
}

/** What a webhook is to be. */
export interface WebhookWanted extends Pick<StoredWebhook, 'events' | 'pattern' | 'format'> {
  readonly name: string;
  readonly url: string;
  /** null to make one. */
  readonly secret: string | null;
}

export type SetWebhookAnswer =
  | { readonly type: 'set'; readonly webhook: WebhookView; readonly secret: string }
  | { readonly type: 'invalid'; readonly problem: string }
  | Shut;

/** How long it is remembered that something was told: what still goes on then is told again. */
const KEPT: Readonly<Record<WebhookEventType, Milliseconds>> = {
  'lock-stuck': 7 * 86_400_000,
  'lock-broken': 600_000,
  'write-refused': 600_000,
  'credential-expiring': 60 * 86_400_000,
  'backup-old': 7 * 86_400_000,
  'run-waiting': 86_400_000,
  'run-applied': 86_400_000,
  'run-errored': 86_400_000,
  'drift-found': 86_400_000,
  'drift-gone': 86_400_000,
};

type QueueOptions = Omit<ConstructorParameters<typeof DeliveryQueue>[0], 'deliveries' | 'receivers'> & {
  readonly records: RecordOwner;
};

/** Tells programs outside what somebody should look at: set by admins of the house alone, since the house then asks where they say. */
export class Webhooks {
  readonly #records: Records<StoredWebhook>;
  readonly #sealer: Sealer;
  readonly #entropy: Entropy;
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #audit: Audit;
  readonly #queue: DeliveryQueue;
  readonly #options: QueueOptions;
  readonly #lookout: Lookout;
  readonly #log: Log;

  constructor(options: {
    records: RecordOwner;
    engine: Pick<Engine, 'body' | 'states' | 'credentials' | 'now'>;
    sealer: Sealer;
    entropy: Entropy;
    clock: Clock;
    log: Log;
    gate: Gate;
    audit: Audit;
    backups: Backups;
    settings: AlarmSettings;
    post: WebhookPost;
    node: string;
  }) {
    const { sealer, clock, log, engine } = options;
    this.#records = WEBHOOKS.of(options.records);
    this.#sealer = sealer;
    this.#entropy = options.entropy;
    this.#clock = clock;
    this.#log = log;
    this.#gate = options.gate;
    this.#audit = options.audit;
    this.#options = options;
    this.#queue = this.beside(DELIVERIES, new WebhookReceivers(this.#records, engine, sealer));
    this.#lookout = new Lookout({ ...options, tell: (event) => this.#tell(event, null) });
  }

  get counts(): WebhookCounts {
    return this.#queue.counts;
  }

  /** A queue for receivers of another kind, by the same means. Whoever opens it starts and closes it. */
  beside(deliveries: RecordDefinition<Delivery>, receivers: Receivers): DeliveryQueue {
    return new DeliveryQueue({
      ...this.#options,
      deliveries: deliveries.of(this.#options.records),
      receivers,
    });
  }

  /** Makes a webhook, in the place of one of that name. Its secret is told this once. */
  async set(caller: Caller, wanted: WebhookWanted): Promise<SetWebhookAnswer> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    const others = (await this.#records.list()).filter(({ name }) => name !== wanted.name);
    const problem = problemOf(wanted, others.length);
    if (problem !== null) return { type: 'invalid', problem };
    const { name, url, events, pattern, format } = wanted;
    const { host } = new URL(url);
    const secret = wanted.secret ?? newSecret(this.#entropy);
    const createdAt: Instant = this.#clock.now();
    const stored = { host, events, pattern, format, createdAt, createdBy: caller.identity.subject };
    const body = sealTarget(this.#sealer, this.#entropy.uuid(), { url, secret });
    await this.#records.put(null, name, stored, body);
    this.#audit.note(caller, 'webhook-set', null, { webhook: name, host, events: events.join(' '), pattern });
    return { type: 'set', webhook: { name, ...stored }, secret };
  }

  async list(
    caller: Caller,
  ): Promise<{ readonly type: 'webhooks'; readonly webhooks: readonly WebhookView[] } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    const webhooks = (await this.#records.list()).map(({ name, record }) => ({ name, ...record }));
    return { type: 'webhooks', webhooks };
  }

  /** Forgets a webhook, and what waits for it. */
  async remove(
    caller: Caller,
    name: string,
  ): Promise<{ readonly type: 'removed' } | { readonly type: 'absent' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    if ((await this.#records.one(name)) === null) return { type: 'absent' };
    await this.#records.drop(null, name);
    this.#audit.note(caller, 'webhook-drop', null, { webhook: name });
    return { type: 'removed' };
  }

  /** Sends a message to a webhook at once, and says what came of it. */
  async test(
    caller: Caller,
    name: string,
  ): Promise<({ readonly type: 'tested' } & SendResult) | { readonly type: 'absent' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    const event: WebhookEvent = {
      id: `test ${name}`,
      type: 'test',
      at: this.#clock.now(),
      address: null,
      message: `This is a test of the webhook ${name}, sent by ${caller.identity.subject}.`,
      facts: { webhook: name },
    };
    const result = await this.#queue.send(name, this.#entropy.uuid(), event);
    if (result === null) return { type: 'absent' };
    this.#audit.note(caller, 'webhook-test', null, { webhook: name, ok: result.ok });
    return { type: 'tested', ...result };
  }

  /** Takes note of a command of this node, and what came of it. */
  saw(command: AddressCommand, { outcome }: Result): void {
    const event = this.#eventOf(command, outcome);
    if (event === null) return;
    this.#tell(event, command.actor.subject).catch((fault: unknown) =>
      this.#log.error('an event for webhooks could not be kept', { event: event.type, fault: String(fault) }),
    );
  }

  /** Looks for what no request tells of, and sends what is due. */
  async look(): Promise<void> {
    await this.#lookout.look();
    await this.#queue.look();
  }

  start(): void {
    this.#queue.start();
    this.#lookout.start(async () => (await this.#records.known()).length > 0);
  }

  /** What is not sent yet stays, for the next start or another node. */
  async close(): Promise<void> {
    this.#lookout.close();
    await this.#queue.close();
  }

  /**
   * Tells of something that another part has seen; the same event told again is told once.
   * @param subject who caused it, and has a share of what may wait
   */
  tell(event: WebhookEvent & { readonly type: WebhookEventType }, subject: string): Promise<void> {
    return this.#tell(event, subject);
  }

  async #tell(
    event: WebhookEvent & { readonly type: WebhookEventType },
    subject: string | null,
  ): Promise<void> {
    await this.#queue.put(event, subject, KEPT[event.type]);
  }

  #eventOf(
    { type, address, actor: { subject, door } }: AddressCommand,
    outcome: Result['outcome'],
  ): (WebhookEvent & { readonly type: WebhookEventType }) | null {
    const at = this.#clock.now();
    const name = formatAddress(address);
    if (type === 'unlock' && outcome.type === 'released' && outcome.broken) {
      const lock = (outcome.lockIds[0] ?? '').slice(0, 200);
      const message = `${subject} broke the lock of ${name}: what its former holder writes is refused from now on.`;
      const facts = { subject, door, lock };
      return {
        id: `lock-broken ${name} ${lock} ${at}`,
        type: 'lock-broken',
        at,
        address: name,
        message,
        facts,
      };
    }
    if (type !== 'write' || outcome.type === 'stored') return null;
    const id = `write-refused ${name} ${subject} ${Math.floor(at / REFUSALS_TOGETHER)}`;
    const message = `A state that ${subject} sent to ${name} was refused (${outcome.type}): "statehouse rescue ${name}" shows what is kept of it.`;
    return {
      id,
      type: 'write-refused',
      at,
      address: name,
      message,
      facts: { subject, door, reason: outcome.type },
    };
  }
}

function problemOf({ name, url, secret, events, pattern }: WebhookWanted, others: number): string | null {
  if (!NAME.test(name))
    return `invalid name "${name.slice(0, 60)}": expected up to 40 lower-case letters, digits and hyphens`;
  const wrongUrl = urlProblem(url);
  if (wrongUrl !== null) return wrongUrl;
  if (secret !== null && !SECRET.test(secret))
    return 'invalid secret: expected 16 to 200 printable characters without spaces';
  if (events.length === 0) return 'no event: expected at least one';
  const wrongPattern = patternProblem(pattern);
  if (wrongPattern !== null) return wrongPattern;
  return others >= WEBHOOKS_MAX ? `there are ${WEBHOOKS_MAX} webhooks already: remove one` : null;
}
