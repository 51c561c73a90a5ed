import { z } from 'zod';
import type { Instant } from '../../core/instant.ts';
import { defineRecords, type RecordDefinition } from '../../house/records/define.ts';
import { NOTIFICATION_DELIVERY_KIND, NOTIFICATION_KIND } from '../../house/records/kinds.ts';
import { deliveriesOf, type Delivery } from '../../house/webhooks/records.ts';

/** What a notification may be sent for, by HCP's names: those that this server has something to tell of. */
const TOLD_TRIGGERS = [
  'run:created',
  'run:planning',
  'run:needs_attention',
  'run:applying',
  'run:completed',
  'run:errored',
  'assessment:drifted',
  'assessment:failed',
] as const;
export type ToldTrigger = (typeof TOLD_TRIGGERS)[number];

/** Those, and the ones that clients may ask for although nothing of the kind happens here. */
export type NotificationTrigger =
  | ToldTrigger
  | 'assessment:check_failure'
  | 'workspace:auto_destroy_reminder'
  | 'workspace:auto_destroy_run_results';
export const NOTIFICATION_TRIGGERS: readonly NotificationTrigger[] = [
  ...TOLD_TRIGGERS,
  'assessment:check_failure',
  'workspace:auto_destroy_reminder',
  'workspace:auto_destroy_run_results',
];

/** Who is told, by HCP's names. */
export const DESTINATIONS = ['generic', 'slack', 'microsoft-teams'] as const;
export type Destination = (typeof DESTINATIONS)[number];

/** What came of the last verification. */
export interface Verification {
  readonly at: Instant;
  /** null where there was no answer. */
  readonly status: number | null;
  readonly ok: boolean;
}

/** Whom the runs of a workspace are told to, under an id. Its URL and its token are sealed, in the body beside it. */
export interface StoredNotification {
  /** The text form of the workspace's address. */
  readonly address: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly destination: Destination;
  readonly triggers: readonly NotificationTrigger[];
  /** An admin of the server has named the URL, so that it may be inside the network. */
  readonly mayBeInside: boolean;
  /** Where the server was when this was set: `https://state.example.com`. */
  readonly origin: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly createdBy: string;
  readonly verification: Verification | null;
}

export const NOTIFICATIONS: RecordDefinition<StoredNotification> = defineRecords<StoredNotification>(
  NOTIFICATION_KIND,
  z.object({
    address: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    destination: z.enum(DESTINATIONS),
    triggers: z.array(z.enum(NOTIFICATION_TRIGGERS)),
    mayBeInside: z.boolean(),
    origin: z.string(),
    createdAt: z.number(),
    updatedAt: z.number(),
    createdBy: z.string(),
    verification: z.object({ at: z.number(), status: z.number().nullable(), ok: z.boolean() }).nullable(),
  }),
);

export const NOTIFICATION_DELIVERIES: RecordDefinition<Delivery> = deliveriesOf(NOTIFICATION_DELIVERY_KIND);

/** Where a receiver is, and the token that what it gets is signed with; null to sign nothing. */
export interface NotificationTarget {
  readonly url: string;
  readonly token: string | null;
}

export const NOTIFICATION_TARGET: z.ZodType<NotificationTarget> = z.object({
  url: z.string(),
  token: z.string().nullable(),
});
