import { formatAddress, isAddress, parseAddress, type Address } from '../../core/address.ts';
import type { Milliseconds } from '../../core/instant.ts';
import type { Caller, Shut } from '../../house/caller.ts';
import type { House } from '../../house/house.ts';
import type { RecordBodies } from '../../house/records/bodies.ts';
import type { Records } from '../../house/records/records.ts';
import type { Watches } from '../../house/watched.ts';
import type { DeliveryQueue } from '../../house/webhooks/delivery-queue.ts';
import { urlProblem } from '../../house/webhooks/receiver-url.ts';
import type { WebhookEvent } from '../../house/webhooks/records.ts';
import type { SendResult } from '../../house/webhooks/sender.ts';
import type { Entropy } from '../../ports/entropy.ts';
import type { Log } from '../../ports/log.ts';
import { newResourceId } from '../ids.ts';
import type { Run } from '../run-book.ts';
import { eventOfRun } from './events.ts';
import { VERIFICATION, type WorkspaceNames } from './payload.ts';
import { NotificationReceivers } from './receivers.ts';
import {
  NOTIFICATION_DELIVERIES,
  NOTIFICATIONS,
  type NotificationTarget,
  type StoredNotification,
} from './records.ts';

/** As many as HCP allows for one workspace, and of all. */
const OF_WORKSPACE_MAX = 20;
const NOTIFICATIONS_MAX = 2_000;
const NAME_MAX = 200;
const TOKEN_MAX = 1_000;
/** How long it is remembered that something was told. */
const KEPT: Milliseconds = 86_400_000;
/** Whose share of what waits a check of drift has. */
const DRIFT_SUBJECT = 'house:drift';

/** A notification, as it is shown: all but its token. */
export interface Notification extends StoredNotification {
  readonly id: string;
  readonly url: string;
}

/** What a notification is to be. */
export interface NotificationWanted extends Pick<
  StoredNotification,
  'name' | 'enabled' | 'destination' | 'triggers' | 'origin'
> {
  readonly url: string;
  readonly token: string | null;
}

/** What of it is to be changed; what is left out stays. */
export type NotificationChange = {
  readonly [K in Exclude<keyof NotificationWanted, 'destination'>]?: NotificationWanted[K] | undefined;
};

export type OneNotification =
  | { readonly type: 'notification'; readonly notification: Notification }
  | { readonly type: 'invalid'; readonly problem: string }
  | { readonly type: 'absent' }
  | Shut;

/** Who is refused, and who looks, is noted. */
export const WATCHED_NOTIFICATIONS: Watches<Notifications> = {
  create: { action: 'notification-set' },
  list: { action: 'list-notifications', looks: true },
  look: { action: 'list-notifications', looks: true },
  update: { action: 'notification-set' },
  verify: { action: 'notification-test' },
  remove: { action: 'notification-drop' },
};

/**
 * Tells receivers that admins of a workspace have named what becomes of its runs. The server asks where they say, so that a URL
 * inside its network counts only from an admin of the server.
 */
export class Notifications {
  readonly #house: House;
  readonly #bodies: RecordBodies;
  readonly #entropy: Entropy;
  readonly #log: Log;
  readonly #records: Records<StoredNotification>;
  readonly #receivers: NotificationReceivers;
  readonly #queue: DeliveryQueue;

  constructor(options: {
    house: House;
    bodies: RecordBodies;
    entropy: Entropy;
    log: Log;
    namesOf: (address: Address) => WorkspaceNames;
  }) {
    this.#house = options.house;
    this.#bodies = options.bodies;
    this.#entropy = options.entropy;
    this.#log = options.log;
    this.#records = options.house.records(NOTIFICATIONS);
    this.#receivers = new NotificationReceivers({ ...options, records: this.#records });
    this.#queue = options.house.webhooks.beside(NOTIFICATION_DELIVERIES, this.#receivers);
  }

  /** Makes one. An enabled one is tried first, and must answer. */
  async create(caller: Caller, address: Address, wanted: NotificationWanted): Promise<OneNotification> {
    const refusal = await this.#house.gate.on(caller, 'manage', address);
    if (refusal !== null) return refusal;
    if (!(await this.#house.workspaces.kept.isThere(address))) return { type: 'absent' };
    const problem = problemOf(wanted) ?? (await this.#roomProblem(address));
    if (problem !== null) return { type: 'invalid', problem };
    const { url, token, ...rest } = wanted;
    const now = await this.#house.now();
    const stored: StoredNotification = {
      ...rest,
      address: formatAddress(address),
      mayBeInside: this.#mayNameInside(caller),
      createdAt: now,
      updatedAt: now,
      createdBy: caller.identity.subject,
      verification: null,
    };
    return this.#keep(caller, newResourceId('nc', this.#entropy), stored, { url, token }, wanted.enabled);
  }

  /** Those of a workspace, in the order of their making. */
  async list(
    caller: Caller,
    address: Address,
  ): Promise<{ readonly type: 'notifications'; readonly notifications: readonly Notification[] } | Shut> {
    const refusal = await this.#house.gate.on(caller, 'manage', address);
    if (refusal !== null) return refusal;
    const name = formatAddress(address);
    const own = (await this.#records.list()).filter(({ record }) => record.address === name);
    const shown = await Promise.all(
      own.map(async ({ name: id, record }) => this.#shown(id, record, await this.#receivers.target(id))),
    );
    const notifications = shown.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
    return { type: 'notifications', notifications };
  }

  async look(caller: Caller, id: string): Promise<OneNotification> {
    const found = await this.#find(caller, id);
    if (found.type !== 'found') return found;
    return { type: 'notification', notification: this.#shown(id, found.stored, found.target) };
  }

  /** Changes one. It is tried before it is enabled, and again where an enabled one is to be told elsewhere. */
  async update(caller: Caller, id: string, change: NotificationChange): Promise<OneNotification> {
    const found = await this.#find(caller, id);
    if (found.type !== 'found') return found;
    const { url = found.target.url, token = found.target.token } = change;
    const { name = found.stored.name, enabled = found.stored.enabled } = change;
    const { triggers = found.stored.triggers, origin = found.stored.origin } = change;
    const isMoved = url !== found.target.url;
    const stored: StoredNotification = {
      ...found.stored,
      name,
      enabled,
      triggers,
      origin,
      mayBeInside: isMoved ? this.#mayNameInside(caller) : found.stored.mayBeInside,
      updatedAt: await this.#house.now(),
    };
    const problem = problemOf({ ...stored, url, token });
    if (problem !== null) return { type: 'invalid', problem };
    const isTried = stored.enabled && (isMoved || !found.stored.enabled);
    return this.#keep(caller, id, stored, { url, token }, isTried);
  }

  /** Tries one, and keeps what came of it. */
  async verify(caller: Caller, id: string): Promise<OneNotification> {
    const found = await this.#find(caller, id);
    if (found.type !== 'found') return found;
    return this.#keep(caller, id, found.stored, found.target, true);
  }

  async remove(
    caller: Caller,
    id: string,
  ): Promise<{ readonly type: 'removed' } | Exclude<OneNotification, { readonly type: 'notification' }>> {
    const found = await this.#find(caller, id);
    if (found.type !== 'found') return found;
    await this.#records.drop(null, id);
    this.#house.audit.note(caller, 'notification-drop', found.address, { notification: id });
    return { type: 'removed' };
  }

  /** Tells of a run as it is now. */
  ran(run: Run): void {
    const event = eventOfRun(run);
    if (event !== null) this.#put(event, run.createdBy);
  }

  /** Tells of what a check of drift has found. */
  checked(event: WebhookEvent): void {
    this.#put(event, DRIFT_SUBJECT);
  }

  /** Forgets those of workspaces that are gone. */
  async prune(): Promise<void> {
    for (const { name, record } of await this.#records.list()) {
      const address = parseAddress(record.address);
      if (!isAddress(address) || !(await this.#house.workspaces.kept.isThere(address)))
        await this.#records.drop(null, name);
    }
  }

  start(): void {
    this.#queue.start();
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  #put(event: WebhookEvent, subject: string): void {
    this.#queue
      .put(event, subject, KEPT)
      .catch((fault: unknown) =>
        this.#log.warn('notifications could not be told', { event: event.type, fault: String(fault) }),
      );
  }

  async #keep(
    caller: Caller,
    id: string,
    wanted: StoredNotification,
    target: NotificationTarget,
    isTried: boolean,
  ): Promise<OneNotification> {
    const result = isTried ? await this.#try(id, wanted, target) : null;
    const at = await this.#house.now();
    const stored =
      result === null ? wanted : { ...wanted, verification: { at, status: result.status, ok: result.ok } };
    if (result?.ok === false && wanted.enabled)
      return { type: 'invalid', problem: `the URL could not be verified: ${result.problem ?? ''}` };
    await this.#records.put(null, id, stored, this.#bodies.seal(Buffer.from(JSON.stringify(target))));
    const address = parseAddress(stored.address);
    const { host } = new URL(target.url);
    if (isAddress(address))
      this.#house.audit.note(caller, 'notification-set', address, { notification: id, host });
    return { type: 'notification', notification: this.#shown(id, stored, target) };
  }

  async #try(id: string, stored: StoredNotification, target: NotificationTarget): Promise<SendResult> {
    const event: WebhookEvent = {
      id: `${VERIFICATION} ${id}`,
      type: VERIFICATION,
      at: await this.#house.now(),
      address: stored.address,
      message: `Verification of ${stored.name}`,
      facts: {},
    };
    const request = this.#receivers.write(id, stored, target, event);
    return request === null
      ? { ok: false, status: null, problem: 'the workspace is gone' }
      : this.#queue.post(request);
  }

  async #find(
    caller: Caller,
    id: string,
  ): Promise<
    | {
        readonly type: 'found';
        readonly stored: StoredNotification;
        readonly target: NotificationTarget;
        readonly address: Address;
      }
    | { readonly type: 'absent' }
    | Shut
  > {
    const stored = await this.#records.one(id);
    const address = stored === null ? null : parseAddress(stored.address);
    if (stored === null || address === null || !isAddress(address))
      return this.#house.gate.known(caller.identity) ?? { type: 'absent' };
    const refusal = await this.#house.gate.on(caller, 'manage', address);
    if (refusal !== null) return refusal;
    const target = await this.#receivers.target(id);
    return target === null ? { type: 'absent' } : { type: 'found', stored, target, address };
  }

  #mayNameInside(caller: Caller): boolean {
    return this.#house.gate.inHouse(caller, 'manage') === null;
  }

  async #roomProblem(address: Address): Promise<string | null> {
    const known = await this.#records.list();
    const name = formatAddress(address);
    if (known.filter(({ record }) => record.address === name).length >= OF_WORKSPACE_MAX)
      return `the workspace has ${OF_WORKSPACE_MAX} notifications already: remove one`;
    return known.length >= NOTIFICATIONS_MAX
      ? `there are ${NOTIFICATIONS_MAX} notifications already: remove one`
      : null;
  }

  #shown(id: string, stored: StoredNotification, target: NotificationTarget | null): Notification {
    return { id, ...stored, url: target?.url ?? '' };
  }
}

function problemOf({ name, url, token }: Pick<NotificationWanted, 'name' | 'url' | 'token'>): string | null {
  if (name === '' || name.length > NAME_MAX) return `expected a name of 1 to ${NAME_MAX} characters`;
  if (token !== null && token.length > TOKEN_MAX)
    return `expected a token of at most ${TOKEN_MAX} characters`;
  return urlProblem(url);
}
