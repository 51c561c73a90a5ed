import { randomUUID } from 'node:crypto';
import type { Address } from '../../../core/address.ts';
import type { Milliseconds } from '../../../core/instant.ts';
import {
  AZURERM_ALIAS,
  LEASE_INFINITE,
  LEASE_SECONDS_MAX,
  LEASE_SECONDS_MIN,
  readBlobName,
} from '../layout.ts';
import { standingHeaders, viewOf, type BlobView } from './blob-view.ts';
import { emptyReply, type Answer, type DoorCall } from './call.ts';
import { readRefusal } from './conditions.ts';
import { invalidHeader, leaseRefused, noPlaceFor, refused, type AzureError } from './errors.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** OpenTofu gives up after 300 s (`timeout_seconds` of the backend block), and does not try again then. */
const PARK_MAX: Milliseconds = 240_000;

/** Lease Blob: the lock of a state. */
export async function leaseBlob(call: DoorCall): Promise<Answer> {
  const { request, asked } = call;
  const name = readBlobName(asked.container, asked.blob);
  if (name.kind === 'none') return noPlaceFor(name.problem);
  const { address } = name;
  const action = request.header('x-ms-lease-action')?.toLowerCase();
  switch (action) {
    case 'acquire':
      return acquire(call, address);
    case 'renew':
      return named(call, address, renew);
    case 'change':
      return named(call, address, change);
    case 'release':
      return named(call, address, release);
    case 'break':
      return breakLease(call, address);
    default:
      return invalidHeader('x-ms-lease-action', 'acquire, renew, change, release or break');
  }
}

/**
 * Asks for the lock under the lease ID that the client proposes, and is held open where the client has shown that it waits:
 * terraform proposes the same ID with each attempt. Its lock info is told afterwards.
 */
async function acquire(call: DoorCall, address: Address): Promise<Answer> {
  const { house, leases, refusals, firstBlobs, caller, request } = call;
  const duration = readDuration(request.header('x-ms-lease-duration'));
  if (duration === 'invalid')
    return invalidHeader(
      'x-ms-lease-duration',
      `${LEASE_SECONDS_MIN} to ${LEASE_SECONDS_MAX} seconds, or ${LEASE_INFINITE} for a lease without an end`,
    );
  const lockId = request.header('x-ms-proposed-lease-id') ?? randomUUID();
  if (!UUID.test(lockId)) return invalidHeader('x-ms-proposed-lease-id', 'a GUID');
  const answer = await house.locks.lock(caller, address, {
    lockId,
    operation: '',
    info: null,
    ...(duration === null ? {} : { lease: duration }),
    tellsHoldersApart: false,
    alias: AZURERM_ALIAS,
    wait: null,
    parkMax: PARK_MAX,
    gone: request.gone,
  });
  if (answer.type === 'held') refusals.refused(caller, request, address, answer);
  const isFirst = firstBlobs.leases(caller, request, address);
  if (answer.type !== 'granted') return leaseRefused(answer);
  leases.granted(lockId, duration);
  try {
    const view = await viewOf(call, address);
    const isMade = view.type === 'view' && isFirst && view.state !== null;
    if (view.type === 'view' && !isMade)
      return { ...leaseReply(call, 201, view, lockId), undelivered: answer.undelivered };
    answer.undelivered();
    return view.type === 'view' ? madeMeanwhile() : refused(view);
  } catch (fault) {
    answer.undelivered();
    throw fault;
  }
}

function madeMeanwhile(): AzureError {
  const message = 'another run has made the first state meanwhile: run the command again';
  return { status: 409, code: 'LeaseAlreadyPresent', message };
}

type OnLease = (call: DoorCall, address: Address, lockId: string, view: BlobView) => Promise<Answer>;

/** What is done with a lease that the request names. */
async function named(call: DoorCall, address: Address, work: OnLease): Promise<Answer> {
  const { request } = call;
  const lockId = request.header('x-ms-lease-id');
  if (lockId === undefined) return invalidHeader('x-ms-lease-id', 'the ID of the lease');
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  return readRefusal(request, view) ?? work(call, address, lockId, view);
}

const renew: OnLease = async (call, address, lockId, view) => {
  const { house, leases, caller } = call;
  const holder = view.lock?.holder;
  const mine = holder?.lockId === lockId ? holder : null;
  const lease = mine === null ? null : leases.of(mine);
  const answer = await house.locks.renew(caller, address, lockId, lease);
  return answer.type === 'renewed' ? leaseReply(call, 200, view, lockId) : leaseRefused(answer);
};

/** Another ID for the lease, which has its fence and its end; what it told of its holder is to be told anew. */
const change: OnLease = async (call, address, lockId, view) => {
  const { house, leases, caller, request } = call;
  const proposed = request.header('x-ms-proposed-lease-id');
  if (proposed === undefined || !UUID.test(proposed))
    return invalidHeader('x-ms-proposed-lease-id', 'a GUID');
  const holder = view.lock?.holder;
  const isMine = holder?.subject === caller.identity.subject;
  // The same change again finds what it asked for.
  const current = isMine && holder.lockId === proposed ? proposed : lockId;
  const lease = isMine ? leases.of(holder) : null;
  const answer = await house.locks.renew(caller, address, current, lease, proposed);
  if (answer.type !== 'renewed') return leaseRefused(answer);
  leases.granted(proposed, lease);
  return leaseReply(call, 200, view, proposed);
};

/** Releases the lease, or breaks it for an operator: so does `terraform force-unlock`, whichever door the lock was taken by. */
const release: OnLease = async (call, address, lockId, view) => {
  const { house, caller } = call;
  const answer = await house.locks.unlock(caller, address, { lockId, alias: AZURERM_ALIAS });
  if (answer.type !== 'released') return leaseRefused(answer);
  return emptyReply(call, 200, standingHeaders(view));
};

/** Breaks the lease that is there, at once whatever period is asked for: its holder writes no more. */
async function breakLease(call: DoorCall, address: Address): Promise<Answer> {
  const { house, caller, request } = call;
  const period = request.header('x-ms-lease-break-period');
  if (period !== undefined && !/^(?:[0-5]?\d|60)$/.test(period))
    return invalidHeader('x-ms-lease-break-period', `0 to ${LEASE_SECONDS_MAX} seconds`);
  const view = await viewOf(call, address);
  if (view.type !== 'view') return refused(view);
  const unmet = readRefusal(request, view);
  if (unmet !== null) return unmet;
  if (view.lock === null) {
    const refusal = await house.locks.refuse(caller, 'unlock', address);
    return refusal === null ? leaseRefused({ type: 'not-locked' }) : refused(refusal);
  }
  const { lockId } = view.lock.holder;
  const answer = await house.locks.unlock(caller, address, { lockId, alias: null });
  if (answer.type !== 'released') return leaseRefused(answer);
  return emptyReply(call, 202, { ...standingHeaders(view), 'x-ms-lease-time': '0' });
}

function leaseReply(
  call: DoorCall,
  status: number,
  view: BlobView,
  lockId: string,
): ReturnType<typeof emptyReply> {
  return emptyReply(call, status, { ...standingHeaders(view), 'x-ms-lease-id': lockId });
}

/** In milliseconds; null for a lease without an end. */
function readDuration(text: string | undefined): number | null | 'invalid' {
  if (text === LEASE_INFINITE) return null;
  const seconds = /^\d{1,3}$/.test(text ?? '') ? Number(text) : 0;
  return seconds >= LEASE_SECONDS_MIN && seconds <= LEASE_SECONDS_MAX ? seconds * 1_000 : 'invalid';
}
