import { RESERVED_SUFFIXES, type Address } from '../../core/address.ts';
import { readObjectName, stateObject } from '../s3/layout.ts';

/** The one key of a lock table (terraform internal/backend/remote-state/s3/client.go, `Lock`). */
export const HASH_KEY = 'LockID';
/** Set beside the lock ID: the lock info as JSON. */
export const INFO = 'Info';
/** Set in the digest item: the MD5 of the state, as lower-case hex. */
export const DIGEST = 'Digest';
const DIGEST_SUFFIX = RESERVED_SUFFIXES.s3Digest;
/** What a lock is called that was taken as an item (`dynamodb_table`). */
export const LOCK_ITEM_ALIAS = 'dynamodb-item';

/** The prefix of every `X-Amz-Target` of this API version. */
export const TARGET_PREFIX = 'DynamoDB_20120810.';
export const CONTENT_TYPE = 'application/x-amz-json-1.0';
/** A lock info that was kept before had up to 64 KiB, so that an item of twice that holds one in any case; DynamoDB's own items end at 400 KB. */
export const ITEM_BYTES_MAX: number = 128 * 1024;
/** Tables of a server (Amazon DynamoDB developer guide, "Service, account, and table quotas"). */
export const TABLES_MAX = 2_500;
/** Tables that one subject makes or uses first, unless it is an admin of the server. */
export const TABLES_OF_ONE_MAX = 50;
/** Tags of a table (developer guide, "Tagging restrictions in DynamoDB"). */
export const TAGS_MAX = 50;
/** Room for one item of that size, and as much again. */
export const REQUEST_BYTES_MAX: number = 256 * 1024;
/** Items that one page of a scan looks at. */
export const SCAN_ITEMS_MAX = 1_000;
/** Bytes of items, after which a page of a scan ends (Amazon DynamoDB developer guide, "Constraints"). */
export const SCAN_BYTES_MAX: number = 1024 * 1024;
/** A hash key has at most so many bytes (the same). */
export const KEY_BYTES_MAX = 2_048;
/** Amazon DynamoDB developer guide, "Naming rules". */
export const TABLE_NAME: RegExp = /^[a-zA-Z0-9_.-]{3,255}$/;

/** What an item of a lock table stands for. */
export type LockItem =
  | { readonly kind: 'lock'; readonly address: Address }
  | { readonly kind: 'digest'; readonly address: Address }
  | { readonly kind: 'none'; readonly problem: string };

/** Reads a LockID: `bucket/key` or `bucket/env:/workspace/key`, and `-md5` after it for the digest. */
export function readLockId(lockId: string): LockItem {
  const isDigest = lockId.endsWith(DIGEST_SUFFIX);
  const name = isDigest ? lockId.slice(0, -DIGEST_SUFFIX.length) : lockId;
  const slash = name.indexOf('/');
  if (slash <= 0) return { kind: 'none', problem: 'a LockID is written BUCKET/KEY' };
  const object = readObjectName(name.slice(0, slash), name.slice(slash + 1));
  if (object.kind === 'none') return object;
  if (object.kind === 'lock-file') return { kind: 'none', problem: 'this names a lock file, not a state' };
  return { kind: isDigest ? 'digest' : 'lock', address: object.address };
}

/** The LockID of the lock of a state, which is also the `Path` of every lock info of the s3 backend. */
export function lockItemId(bucket: string, stateName: string): string {
  return `${bucket}/${stateName}`;
}

/** The LockID of the item that has the state's MD5. */
export function digestItemId(bucket: string, stateName: string): string {
  return lockItemId(bucket, stateName) + DIGEST_SUFFIX;
}

export function lockIdOf(address: Address): string {
  return lockItemId(address.project, stateObject(address));
}

export function digestIdOf(address: Address): string {
  return digestItemId(address.project, stateObject(address));
}
