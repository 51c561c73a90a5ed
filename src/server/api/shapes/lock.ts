import { z } from 'zod';
import type { Page } from '../../../api/shapes/page.ts';
import type {
  LockInfoShape,
  HolderShape,
  WaiterShape,
  LockShape,
  PastHoldShape,
  ReleasedShape,
} from '../../../api/shapes/lock.ts';
import { formatAddress } from '../../../core/address.ts';
import type { Instant } from '../../../core/instant.ts';
import { parseLockInfo, type LockInfo } from '../../../core/lock-info.ts';
import type { Holder, QueueEntry } from '../../../core/world.ts';
import type { LockView } from '../../../house/locks/locks.ts';
import type { PastHold } from '../../../house/locks/past-holds.ts';
import { HEARD_WITHIN } from '../../../house/locks/unheard.ts';
import { FREEZE, toFreezeShape } from './freeze.ts';
import { count, instant, objectOf, pageOf, text } from './plain.ts';

const LOCK_INFO: z.ZodType<LockInfoShape> = objectOf<LockInfoShape>({
  ID: z.string(),
  Operation: z.string(),
  Info: z.string(),
  Who: z.string(),
  Version: z.string(),
  Created: z.string(),
  Path: z.string(),
}).meta({ id: 'LockInfo', description: "Terraform's lock info: what the client says of itself." });

const INFO = LOCK_INFO.nullable().describe('null if what the client sent is not a lock info.');

const HOLDER: z.ZodType<HolderShape> = objectOf<HolderShape>({
  lockId: text('The ID of the lock.'),
  subject: text('Who holds it, as authenticated.'),
  door: text('The door that it was taken through.'),
  operation: text('What it was taken for.'),
  shared: z.boolean().describe('Held for a plan, together with other plans.'),
  fence: count('Grows with every lock granted on this address.'),
  since: instant('When it was granted.'),
  heldMs: count('How long ago that was, by the clock of the server.'),
  unheard: z
    .boolean()
    .nullable()
    .describe(
      'Whether its client has not acknowledged the answer that granted it the lock: the grant is taken back if the client is gone. null for up to 20 s where another node gave the answer, which alone knows.',
    ),
  reason: text('Why it is held, in its holder’s words; empty if it does not say.'),
  info: INFO,
}).meta({ id: 'Holder' });

const WAITER: z.ZodType<WaiterShape> = objectOf<WaiterShape>({
  position: z.int().min(1).describe('1 is next.'),
  lockId: text('The ID of the lock that it asks for.'),
  subject: text('Who waits, as authenticated.'),
  door: text('The door that it asks at.'),
  operation: text('What it wants the lock for.'),
  shared: z.boolean().describe('Would hold the lock together with other plans.'),
  since: instant('When it first asked.'),
  waitedMs: count('How long ago that was, by the clock of the server.'),
  asks: z.int().min(1).describe('How many times it has asked.'),
  parked: z
    .boolean()
    .describe('Whether its request is held open now; a waiter that is not polls, and will ask again.'),
  reason: text('Why it wants the lock, in its own words; empty if it does not say.'),
  info: INFO,
}).meta({ id: 'Waiter' });

export const LOCK: z.ZodType<LockShape> = objectOf<LockShape>({
  address: text('The address that is locked.'),
  usualHoldMs: count('How long this lock is usually held; null before it was first released.').nullable(),
  holders: z.array(HOLDER).describe('Who holds the lock, oldest first; empty when the lock is free.'),
  waiters: z
    .array(WAITER)
    .describe('The first of those who wait for it, in line: 100 in a list, 1,000 of one lock.'),
  waiting: count('How many wait for it.'),
  frozen: FREEZE.nullable().describe('What refuses applies here; null where nothing does.'),
}).meta({ id: 'Lock' });

export const LOCKS: z.ZodType<Page<'locks', LockShape>> = pageOf('locks', LOCK).meta({ id: 'Locks' });

const PAST_HOLD: z.ZodType<PastHoldShape> = objectOf<PastHoldShape>({
  since: instant('When it was granted.'),
  heldMs: count('How long it was held.'),
  operation: text('What it was taken for.'),
  shared: z.boolean().describe('Held for a plan, together with other plans.'),
  broken: z.boolean().describe('Another than its holder ended it.'),
}).meta({ id: 'PastHold' });

export const PAST_HOLDS: z.ZodType<{ readonly holds: readonly PastHoldShape[] }> = z
  .strictObject({ holds: z.array(PAST_HOLD).describe('At most 20, the oldest first.') })
  .meta({ id: 'PastHolds' });

export const RELEASED: z.ZodType<ReleasedShape> = objectOf<ReleasedShape>({
  released: z.array(z.string()).describe('The IDs of the locks that were released.'),
  broken: z.boolean().describe("Whether this broke another's lock."),
}).meta({ id: 'Released' });

export function toPastHoldShape({ since, held, ...same }: PastHold): PastHoldShape {
  return { ...same, since: new Date(since).toISOString(), heldMs: Math.round(held) };
}

/** @param now by the clock that granted the locks */
export function toLockShape(
  { address, holders, unheard, line, waiting, frozen, usualHold }: LockView,
  now: Instant,
): LockShape {
  return {
    address: formatAddress(address),
    usualHoldMs: usualHold === null ? null : Math.round(usualHold),
    holders: holders.map((holder) => toHolderShape(holder, unheard.get(holder.lockId) ?? null, now)),
    waiters: line.map((place, index) => toWaiterShape(place, index + 1, now)),
    waiting,
    frozen: frozen === null ? null : toFreezeShape(frozen),
  };
}

function toHolderShape(holder: Holder, unheard: boolean | null, now: Instant): HolderShape {
  const { lockId, subject, door, operation, shared, fence, since, info } = holder;
  return {
    lockId,
    subject,
    door,
    operation,
    shared,
    fence,
    since: new Date(since).toISOString(),
    heldMs: Math.max(0, Math.round(now - since)),
    unheard: unheard === null && now - since > HEARD_WITHIN ? false : unheard,
    ...reasonAndInfo(info),
  };
}

function toWaiterShape(place: QueueEntry, position: number, now: Instant): WaiterShape {
  const { lockId, subject, door, operation, shared, firstAsk, asks, seat, info } = place;
  return {
    position,
    lockId,
    subject,
    door,
    operation,
    shared,
    since: new Date(firstAsk).toISOString(),
    waitedMs: Math.max(0, Math.round(now - firstAsk)),
    asks,
    parked: seat !== null,
    ...reasonAndInfo(info),
  };
}

function reasonAndInfo(bytes: Uint8Array | null): { reason: string; info: LockInfoShape | null } {
  const parsed = bytes === null ? null : parseLockInfo(bytes);
  if (parsed === null || 'problem' in parsed) return { reason: '', info: null };
  return { reason: parsed.info.info, info: named(parsed.info) };
}

function named({ id, operation, info, who, version, created, path }: LockInfo): LockInfoShape {
  return {
    ID: id,
    Operation: operation,
    Info: info,
    Who: who,
    Version: version,
    Created: created,
    Path: path,
  };
}
