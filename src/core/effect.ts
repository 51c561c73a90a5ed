import type { Actor, SealedBody } from './command.ts';
import type { Instant } from './instant.ts';
import type { Origin } from './origin.ts';
import type { AddressRecord, Holder, QueueEntry, Release, Version } from './world.ts';

/** What the audit log says of one deed. Never a word of a state's content. */
export interface AuditNote {
  readonly action: string;
  readonly subject: string;
  readonly door: string;
  /** Short facts such as `version 7` or the broken lock's ID. */
  readonly detail: Readonly<Record<string, string | number | boolean>>;
  /** Absent where nothing is known of it, as when the house keeps order. */
  readonly origin?: Origin;
  /** What it was refused for, in one word such as `forbidden` or `held`; absent where it was done. */
  readonly refused?: string;
}

/** What is noted of a deed. */
export function noteOf(
  { subject, door, origin }: Pick<Actor, 'subject' | 'door' | 'origin'>,
  action: string,
  detail: AuditNote['detail'] = {},
): AuditNote {
  return { action, subject, door, detail, ...(origin === undefined ? {} : { origin }) };
}

/** What an engine must do to its rows, all in the transaction in which it was decided. */
export type Effect =
  | { readonly type: 'put-record'; readonly record: AddressRecord }
  | { readonly type: 'put-version'; readonly version: Version; readonly body: SealedBody }
  | { readonly type: 'drop-versions'; readonly numbers: readonly number[] }
  | { readonly type: 'drop-all' }
  | { readonly type: 'put-holder'; readonly holder: Holder }
  | { readonly type: 'drop-holder'; readonly lockId: string }
  | { readonly type: 'put-place'; readonly place: QueueEntry }
  | { readonly type: 'drop-place'; readonly waiter: string }
  /** Takes the place of an earlier release of the same lock ID. */
  | { readonly type: 'put-release'; readonly release: Release }
  /** Forgets the releases before a moment, and those up to a number. */
  | { readonly type: 'drop-releases'; readonly before: Instant; readonly upTo: number }
  | { readonly type: 'audit'; readonly note: AuditNote };
