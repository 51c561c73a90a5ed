import { isAddress, parseAddress, type Address } from '../../core/address.ts';
import type { RecordBodies } from '../../house/records/bodies.ts';
import type { Records } from '../../house/records/records.ts';
import type { Message, Receivers } from '../../house/webhooks/receivers.ts';
import type { WebhookEvent } from '../../house/webhooks/records.ts';
import type { WebhookRequest } from '../../ports/webhook-post.ts';
import { notificationRequest, type WorkspaceNames } from './payload.ts';
import { NOTIFICATION_TARGET, type NotificationTarget, type StoredNotification } from './records.ts';

/** Notifications as those who are told of events. */
export class NotificationReceivers implements Receivers {
  readonly #records: Records<StoredNotification>;
  readonly #bodies: RecordBodies;
  readonly #namesOf: (address: Address) => WorkspaceNames;

  constructor(options: {
    records: Records<StoredNotification>;
    bodies: RecordBodies;
    namesOf: (address: Address) => WorkspaceNames;
  }) {
    this.#records = options.records;
    this.#bodies = options.bodies;
    this.#namesOf = options.namesOf;
  }

  async names(): Promise<ReadonlySet<string>> {
    return new Set((await this.#records.known()).map(({ name }) => name));
  }

  async wanting({ address, type }: WebhookEvent): Promise<readonly string[]> {
    const known = await this.#records.known();
    return known
      .filter(
        ({ record }) =>
          record.enabled && record.address === address && record.triggers.some((one) => one === type),
      )
      .map(({ name }) => name);
  }

  async request(name: string, { event }: Message): Promise<WebhookRequest | null> {
    const stored = await this.#records.one(name);
    const target = await this.target(name);
    return stored === null || target === null ? null : this.write(name, stored, target, event);
  }

  /** What a receiver is sent; null where it is at no workspace. */
  write(
    id: string,
    stored: StoredNotification,
    target: NotificationTarget,
    event: WebhookEvent,
  ): WebhookRequest | null {
    const address = parseAddress(stored.address);
    if (!isAddress(address)) return null;
    return notificationRequest(target, { id, stored, workspace: this.#namesOf(address), event });
  }

  /** Where a receiver is, and its token; null when it is gone. */
  async target(id: string): Promise<NotificationTarget | null> {
    const bodyId = await this.#records.bodyOf(id);
    const bytes = bodyId === null ? null : await this.#bodies.read(bodyId);
    return bytes === null ? null : NOTIFICATION_TARGET.parse(JSON.parse(Buffer.from(bytes).toString()));
  }
}
