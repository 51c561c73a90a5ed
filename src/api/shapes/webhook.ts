/** What a webhook may be told of. */
export type WebhookEventName =
  | 'lock-stuck'
  | 'lock-broken'
  | 'write-refused'
  | 'credential-expiring'
  | 'backup-old'
  | 'run-waiting'
  | 'run-applied'
  | 'run-errored'
  | 'drift-found'
  | 'drift-gone';

export interface WebhookShape {
  readonly name: string;
  /** The host of the receiver; the rest of its URL is shown nowhere. */
  readonly host: string;
  readonly events: readonly WebhookEventName[];
  readonly pattern: string;
  readonly format: 'json' | 'slack';
  readonly createdAt: string;
  readonly createdBy: string;
}

/** A webhook at the one moment when its secret is told. */
export interface NewWebhookShape extends WebhookShape {
  readonly secret: string;
}

/** What a webhook is to be. */
export interface WebhookWantedShape {
  name: string;
  url: string;
  /** Every event if it is left out. */
  events?: WebhookEventName[] | undefined;
  /** Everything if it is left out. */
  pattern?: string | undefined;
  format?: 'json' | 'slack' | undefined;
  /** Made if it is left out. */
  secret?: string | null | undefined;
}

/** What came of a message that was sent to a receiver. */
export interface WebhookTestShape {
  readonly ok: boolean;
  readonly status: number | null;
  readonly problem: string | null;
}
