import type { Address } from '../../../core/address.ts';
import type { Holder, Version } from '../../../core/world.ts';
import type { Shut } from '../../../house/caller.ts';
import type { DoorRequest } from '../../door.ts';
import { shownLock, type SeenLock } from '../../lock-object/shown-lock.ts';
import { isRun } from '../../lock-object/run.ts';
import { LOCK_INFO_METADATA } from '../layout.ts';
import type { DoorCall } from './call.ts';
import { versionId } from './version-id.ts';

/** What stands at a blob's name: a state, a lock, or both. A lock alone is shown as a blob without bytes, which terraform makes first. */
export interface BlobView {
  readonly state: Version | null;
  readonly lock: SeenLock | null;
  /** What whoever was just refused for the lock is shown of it, even if it is free again. */
  readonly owed: SeenLock | null;
}

/** What is at an address now; nothing at all where all of it is null. */
export async function viewOf(
  { house, caller, request, refusals }: Pick<DoorCall, 'house' | 'caller' | 'request' | 'refusals'>,
  address: Address,
): Promise<(BlobView & { readonly type: 'view' }) | Shut> {
  const shown = await house.locks.show(caller, address);
  if (shown.type !== 'shown') return shown;
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return described;
  const lock = shownLock(shown.lock.holders);
  const owed = refusals.looks(caller, request, address);
  return { type: 'view', state: described.head, lock, owed };
}

export function isNothing({ state, lock, owed }: BlobView): boolean {
  return state === null && lock === null && owed === null;
}

/** A tag that changes with each version, and not with the lock. */
export function etagOf({ state, lock }: Pick<BlobView, 'state' | 'lock'>): string {
  return state === null
    ? `0x${(lock?.holder.fence ?? 0).toString(16).toUpperCase().padStart(15, '0')}`
    : `0x${state.number.toString(16).toUpperCase()}${state.md5.slice(0, 12).toUpperCase()}`;
}

export function modifiedAt({ state, lock }: Pick<BlobView, 'state' | 'lock'>): number {
  return state?.at ?? lock?.holder.since ?? 0;
}

/** What every answer about a blob says of it. */
export function standingHeaders(view: Pick<BlobView, 'state' | 'lock'>): Record<string, string> {
  const { state } = view;
  return {
    etag: `"${etagOf(view)}"`,
    'last-modified': new Date(modifiedAt(view)).toUTCString(),
    ...(state === null ? {} : { 'x-ms-version-id': versionId(state) }),
  };
}

/** What is known of a blob, as an answer to GET and HEAD tells it. */
export function blobHeaders(view: BlobView, request: DoorRequest): Record<string, string> {
  const { state } = view;
  return {
    ...standingHeaders(view),
    'content-type': 'application/json',
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'x-ms-creation-time': new Date(modifiedAt(view)).toUTCString(),
    'x-ms-blob-type': 'BlockBlob',
    'x-ms-server-encrypted': 'true',
    'x-ms-access-tier': 'Hot',
    'x-ms-access-tier-inferred': 'true',
    ...(state === null ? {} : { 'x-ms-is-current-version': 'true' }),
    ...leaseHeaders(view, request),
    ...lockInfoHeaders(view),
  };
}

/** The lock's info, whether its holder has told it or not: so every lease can be known, and broken, by its ID. */
function lockInfoHeaders({ lock, owed }: Pick<BlobView, 'lock' | 'owed'>): Record<string, string> {
  // Words for who waits belong to the lock that they were said of.
  const told = owed !== null && (lock === null || owed.holder.lockId === lock.holder.lockId) ? owed : lock;
  if (told === null) return {};
  return { [`x-ms-meta-${LOCK_INFO_METADATA}`]: Buffer.from(told.info).toString('base64') };
}

/**
 * Terraform looks before it asks for the lease, and asks only if there is none. A run that looks without naming a lease is told that
 * there is none, so that it asks, and has its place in line; then it reads who holds the lock.
 */
function leaseHeaders({ lock }: BlobView, request: DoorRequest): Record<string, string> {
  const asksNext = isRun(request) && request.header('x-ms-lease-id') === undefined;
  return lock === null || asksNext
    ? { 'x-ms-lease-status': 'unlocked', 'x-ms-lease-state': 'available' }
    : {
        'x-ms-lease-status': 'locked',
        'x-ms-lease-state': 'leased',
        'x-ms-lease-duration': durationOf(lock.holder),
      };
}

export function durationOf({ until }: Pick<Holder, 'until'>): 'infinite' | 'fixed' {
  return until === null ? 'infinite' : 'fixed';
}
