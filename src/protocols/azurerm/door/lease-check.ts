import type { Claim } from '../../../core/command.ts';
import type { DoorRequest } from '../../door.ts';
import type { BlobView } from './blob-view.ts';
import { refused, type AzureError } from './errors.ts';

/** What a change says of the lock that it is made under: the lease that it names, or none. */
export function claimOf({ header }: Pick<DoorRequest, 'header'>): Claim {
  const lockId = header('x-ms-lease-id');
  return lockId === undefined ? { kind: 'none' } : { kind: 'named', lockId };
}

/** Whether a read or a change of what is known names the wrong lease; null if it does not (Blob service REST API, "Lease Blob"). */
export function leaseRefusal(
  { header }: Pick<DoorRequest, 'header'>,
  { lock }: BlobView,
  { needed }: { readonly needed: boolean },
): AzureError | null {
  const lockId = header('x-ms-lease-id');
  const holders = lock === null ? [] : [lock.holder];
  if (lockId !== undefined)
    return lock?.holder.lockId === lockId ? null : refused({ type: 'fenced', lockId, holders });
  if (!needed || lock === null) return null;
  return {
    status: 412,
    code: 'LeaseIdMissing',
    message: 'There is currently a lease on the blob and no lease ID was specified in the request.',
  };
}
