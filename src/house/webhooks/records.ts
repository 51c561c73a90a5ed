import { z } from 'zod';
import type { SealedBody } from '../../core/command.ts';
import type { Instant } from '../../core/instant.ts';
import type { StoredBody } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';
import { defineRecords, type RecordDefinition } from '../records/define.ts';
import { WEBHOOK_DELIVERY_KIND, WEBHOOK_KIND, type RecordKind } from '../records/kinds.ts';
import { BodyPacker, openSegments } from '../states/segments.ts';

/** What a webhook may be told of. */
export const WEBHOOK_EVENTS = [
  'lock-stuck',
  'lock-broken',
  'write-refused',
  'credential-expiring',
  'backup-old',
  'run-waiting',
  'run-applied',
  'run-errored',
  'drift-found',
  'drift-gone',
] as const;
export type WebhookEventType = (typeof WEBHOOK_EVENTS)[number];

/** How a message is written: as JSON of our own, or as Slack and its like take it. */
export const WEBHOOK_FORMATS = ['json', 'slack'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** A receiver, under its name. Where it is and what it knows us by is sealed, in the body beside it. */
export interface StoredWebhook {
  /** The host alone: the rest of a receiver's address is often its secret. */
  readonly host: string;
  readonly events: readonly WebhookEventType[];
  /** `project/key@workspace` with stars; `*` also for what concerns no address. */
  readonly pattern: string;
  readonly format: WebhookFormat;
  readonly createdAt: Instant;
  readonly createdBy: string;
}

export const WEBHOOKS: RecordDefinition<StoredWebhook> = defineRecords<StoredWebhook>(
  WEBHOOK_KIND,
  z.object({
    host: z.string(),
    events: z.array(z.enum(WEBHOOK_EVENTS)),
    pattern: z.string(),
    format: z.enum(WEBHOOK_FORMATS),
    createdAt: z.number(),
    createdBy: z.string(),
  }),
);

/** What is told. Nothing of it is the content of a state, and nothing a secret. */
export interface WebhookEvent {
  /** The same for the same thing, whichever node sees it, and however often. */
  readonly id: string;
  readonly type: string;
  readonly at: Instant;
  /** `project/key@workspace`; null for what concerns the server. */
  readonly address: string | null;
  /** One sentence. */
  readonly message: string;
  readonly facts: Readonly<Record<string, string | number | null>>;
}

/** One event for one webhook, under an id of its own, from when it is seen until it need not be known any more. */
export interface Delivery {
  readonly webhook: string;
  readonly event: WebhookEvent;
  /** Who caused it, so that nobody takes all the room; null for what nobody did. */
  readonly subject: string | null;
  readonly tries: number;
  /** When it is to be tried next. */
  readonly dueAt: Instant;
  /** Which node is sending it, until when the others leave it alone; null for none. */
  readonly claim: { readonly node: string; readonly until: Instant } | null;
  /** When it arrived, or was given up; null while it waits. */
  readonly doneAt: Instant | null;
  /** Until when it is remembered, so that the same event is not told again. */
  readonly keptUntil: Instant;
}

const DELIVERY: z.ZodType<Delivery> = z.object({
  webhook: z.string(),
  event: z.object({
    id: z.string(),
    type: z.string(),
    at: z.number(),
    address: z.string().nullable(),
    message: z.string(),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  }),
  subject: z.string().nullable(),
  tries: z.number(),
  dueAt: z.number(),
  claim: z.object({ node: z.string(), until: z.number() }).nullable(),
  doneAt: z.number().nullable(),
  keptUntil: z.number(),
});

/** The deliveries to receivers of one kind. */
export function deliveriesOf(kind: RecordKind): RecordDefinition<Delivery> {
  return defineRecords<Delivery>(kind, DELIVERY);
}

export const DELIVERIES: RecordDefinition<Delivery> = deliveriesOf(WEBHOOK_DELIVERY_KIND);

/** Where a receiver is, and the secret that what it gets is signed with. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

const TARGET: z.ZodType<WebhookTarget> = z.object({ url: z.string(), secret: z.string() });

/** Seals a target as a body, so that a change of the master key takes it along. */
export function sealTarget(sealer: Sealer, id: string, target: WebhookTarget): SealedBody {
  const packer = new BodyPacker(id, sealer);
  packer.push(Buffer.from(JSON.stringify(target)));
  return packer.finish();
}

/** @param again gives the body as it is now, for one that is encrypted anew meanwhile */
export async function openTarget(
  sealer: Sealer,
  stored: StoredBody,
  again: (id: string) => Promise<StoredBody | null>,
): Promise<WebhookTarget> {
  const pieces: Uint8Array[] = [];
  for await (const piece of openSegments(stored, sealer, again)) pieces.push(piece);
  return TARGET.parse(JSON.parse(Buffer.concat(pieces).toString()));
}
