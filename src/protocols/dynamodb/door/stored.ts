import { parseLockInfo } from '../../../core/lock-info.ts';
import type { Address } from '../../../core/address.ts';
import type { LockAlias, Version } from '../../../core/world.ts';
import { isToldOf, type SeenLock } from '../../lock-object/shown-lock.ts';
import type { AttributeValue, Item } from '../attribute.ts';
import {
  DIGEST,
  digestIdOf,
  HASH_KEY,
  INFO,
  KEY_BYTES_MAX,
  lockIdOf,
  readLockId,
  type LockItem,
} from '../layout.ts';
import type { DoorCall } from './call.ts';
import { invalid, refused, type DynamoError } from './errors.ts';

/** An item as it is now: computed from the house's lock or state, never stored. */
export interface Stored {
  readonly item: Item | null;
  /** The lock behind it, where it is a lock item. */
  readonly lock: SeenLock | null;
}

/** The attributes of each kind of item that are computed. */
export const COMPUTED = {
  lock: ['IsLocked', 'LockedBy', 'Subject', 'Door', 'Fence', 'LastModified'],
  digest: ['Version', 'Serial', 'LastModified'],
} as const;

/** The LockID of a key that fits a lock table's schema, and what it stands for. */
export function readKey(
  key: Readonly<Record<string, AttributeValue>>,
): { readonly lockId: string; readonly of: LockItem } | DynamoError {
  const value = Object.hasOwn(key, HASH_KEY) ? key[HASH_KEY] : undefined;
  if (value === undefined || !('S' in value) || Object.keys(key).length !== 1) {
    return invalid('The provided key element does not match the schema');
  }
  if (value.S === '') {
    return invalid(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${HASH_KEY}`,
    );
  }
  if (Buffer.byteLength(value.S) > KEY_BYTES_MAX) {
    return invalid(
      `One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of${KEY_BYTES_MAX} bytes`,
    );
  }
  return { lockId: value.S, of: readLockId(value.S) };
}

/** Refuses one who may not write here at all, before anything else of the request is tried; null for who may. */
export async function refuseToWrite(
  { house, caller }: DoorCall,
  of: LockItem,
  action: 'lock' | 'unlock',
): Promise<DynamoError | null> {
  const refusal =
    of.kind === 'none'
      ? house.refuseEverywhere(caller, action)
      : await house.locks.refuse(caller, of.kind === 'digest' ? 'write' : action, of.address);
  return refusal === null ? null : refused(refusal);
}

/**
 * What an item is now. A name that stands for nothing has none.
 * @param alias where the client itself looks, as in `LockObjects.look`
 */
export async function readStored(
  call: DoorCall,
  of: LockItem,
  alias: LockAlias | null = null,
): Promise<Stored | DynamoError> {
  if (of.kind === 'none') return { item: null, lock: null };
  if (of.kind === 'digest') return readDigest(call, of.address);
  const looked = await call.locks.look(call.caller, of.address, call.request, alias);
  if (looked.type !== 'looked') return refused(looked);
  const { lock } = looked;
  return { item: lock === null ? null : lockItem(of.address, lock), lock };
}

/** The same with the lock info as its client knows it, if one of the values that it sends is what it was told of the lock. */
export function asTold(stored: Stored, values: readonly AttributeValue[]): Stored {
  const { item, lock } = stored;
  if (item === null || lock === null) return stored;
  const told = values.find((value) => 'S' in value && isToldOf(lock, value.S));
  return told === undefined ? stored : { lock, item: new Map([...item, [INFO, told]]) };
}

/** The item of a held lock: what terraform stores, and what other lock tables keep beside it, computed. */
export function lockItem(address: Address, { holder, info }: SeenLock): Item {
  const parsed = parseLockInfo(info);
  return new Map<string, AttributeValue>([
    [HASH_KEY, { S: lockIdOf(address) }],
    [INFO, { S: Buffer.from(info).toString() }],
    ['IsLocked', { BOOL: true }],
    ['LockedBy', { S: 'info' in parsed && parsed.info.who !== '' ? parsed.info.who : holder.subject }],
    ['Subject', { S: holder.subject }],
    ['Door', { S: holder.door }],
    ['Fence', { N: String(holder.fence) }],
    ['LastModified', { S: new Date(holder.since).toISOString() }],
  ]);
}

/** The digest of a state, computed from the state itself: it can be no other. */
export function digestItem(address: Address, { md5, number, serial, at }: Version): Item {
  return new Map<string, AttributeValue>([
    [HASH_KEY, { S: digestIdOf(address) }],
    [DIGEST, { S: md5 }],
    ['Version', { N: String(number) }],
    ['Serial', { N: serial.toString() }],
    ['LastModified', { S: new Date(at).toISOString() }],
  ]);
}

async function readDigest({ house, caller }: DoorCall, address: Address): Promise<Stored | DynamoError> {
  const described = await house.states.describe(caller, address);
  if (described.type !== 'described') return refused(described);
  return { item: described.head === null ? null : digestItem(address, described.head), lock: null };
}
