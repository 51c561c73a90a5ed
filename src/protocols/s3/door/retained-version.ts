import type { Address } from '../../../core/address.ts';
import type { RetentionChange } from '../../../core/retained.ts';
import type { DoorCall } from './call.ts';
import { invalid, refused, type S3Error } from './errors.ts';
import { bypasses, readObjectLock, saysObjectLock, type ObjectLock } from './object-lock.ts';

/** Says something of how long a version is retained. @returns why it cannot be said, or null */
export async function retained(
  call: DoorCall,
  address: Address,
  number: number,
  change: RetentionChange,
): Promise<S3Error | null> {
  const bypass = bypasses(call);
  const answer = await call.house.history.retain(call.caller, address, number, change, { bypass });
  if (answer.type === 'retention-set') return null;
  if (answer.type !== 'retentions-full') return refused(answer);
  return invalid(
    `${answer.limit} versions of this state have a retention of their own, and that is the most: take one of them back.`,
  );
}

/** What a write says of how long its version is retained; only an admin of the address may say it. */
export async function lockToBe(call: DoorCall, address: Address): Promise<ObjectLock | null | S3Error> {
  if (!saysObjectLock(call)) return null;
  const refusal = await call.house.locks.refuse(call.caller, 'purge', address);
  return refusal === null ? readObjectLock(call) : refused(refusal);
}

/** Says it of the version that was written. @returns why it cannot be said, or null */
export async function lockStored(
  call: DoorCall,
  address: Address,
  number: number,
  lock: ObjectLock | null,
): Promise<S3Error | null> {
  const { retention = null, legalHold = false } = lock ?? {};
  const said =
    retention === null ? null : await retained(call, address, number, { kind: 'retention', retention });
  if (said !== null || !legalHold) return said;
  return retained(call, address, number, { kind: 'legal-hold', on: true });
}
