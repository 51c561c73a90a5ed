import type { Milliseconds } from '../core/instant.ts';
import type { AuditSink } from '../ports/audit-sink.ts';
import type { Clock } from '../ports/clock.ts';
import type { ContentReader } from '../ports/content-reader.ts';
import type { Engine } from '../ports/engine.ts';
import type { Entropy } from '../ports/entropy.ts';
import type { Log } from '../ports/log.ts';
import type { Sealer } from '../ports/sealer.ts';
import type { Signals } from '../ports/signals.ts';
import type { WebhookPost } from '../ports/webhook-post.ts';
import type { PageSessionSettings } from './identity/page-sessions.ts';
import type { LockSettings } from './locks/locks.ts';
import type { ProjectSettings } from './projects.ts';
import type { RefusedSettings } from './states/refused-limits.ts';
import type { UploadSettings } from './states/upload-limits.ts';
import type { AlarmSettings } from './webhooks/lookout.ts';

/** What a house is built from, and how it is to behave. */
export interface HouseOptions
  extends LockSettings, ProjectSettings, UploadSettings, RefusedSettings, PageSessionSettings {
  readonly engine: Engine;
  readonly sealer: Sealer;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  /** Where records of the audit log go besides the engine. Default: nowhere. */
  readonly sink?: AuditSink | null;
  /** Sends to webhooks. Default: nothing reaches any. */
  readonly postWebhook?: WebhookPost;
  /** Takes states apart for the index by which they are found. Default: there is no index. */
  readonly contentReader?: ContentReader;
  /** When webhooks are told of something. */
  readonly alarms: AlarmSettings;
  /** Bytes of the largest state. */
  readonly stateBytesMax: number;
  /** Bytes of all states that are being taken in at a time. */
  readonly inFlightBytesMax: number;
  /** How long after its expiry a credential may bring home what it holds a lock for. */
  readonly expiryGrace: Milliseconds;
  /** How long revoked and expired credentials are kept. */
  readonly deadCredentialsKept: Milliseconds;
  /** How long records of the audit log are kept; 0 for always. */
  readonly auditKept: Milliseconds;
}

/** What a house runs on. */
export interface HouseAbout {
  /** The name of its engine. */
  readonly engine: string;
  /** Whether several nodes may share what the engine keeps. */
  readonly manyNodes: boolean;
}
