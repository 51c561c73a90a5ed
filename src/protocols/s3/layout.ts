import { isIP } from 'node:net';
import { posix } from 'node:path';
import {
  DEFAULT_WORKSPACE,
  isAddress,
  makeAddress,
  objectName,
  RESERVED_SUFFIXES,
  S3_WORKSPACE_PREFIX,
  type Address,
} from '../../core/address.ts';

/** Names what is confirmed or shown and not done, in an answer of this server. */
export const NOT_DONE_HEADER = 'x-statehouse-not-done';

/** The namespace of every document that S3 answers with. */
export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
/** Where every AWS client begins, and what one is told that has signed for no region. */
export const HOME_REGION = 'us-east-1';
/** Entries of one page of a listing, at most and by default (Amazon S3 API reference, ListObjectsV2). */
export const LIST_KEYS_MAX = 1_000;
/** Objects that one DeleteObjects request may name. */
export const DELETE_OBJECTS_MAX = 1_000;

/** Where a backend block of type s3 keeps its states. */
export interface S3Place {
  readonly bucket: string;
  readonly key: string;
  /** `workspace_key_prefix`; {@link S3_WORKSPACE_PREFIX} unless the block says otherwise. */
  readonly workspacePrefix: string;
}

/** What a lock is called that was taken as a lock file (`use_lockfile`). */
export const LOCK_FILE_ALIAS = 's3-lock-file';

const LOCK_FILE_SUFFIX = RESERVED_SUFFIXES.s3LockFile;
const WORKSPACES: string = listPrefix({ workspacePrefix: S3_WORKSPACE_PREFIX });

/** What an object of the s3 backend is. The same names, with the bucket before them, are DynamoDB's lock IDs. */
export type ObjectName =
  | { readonly kind: 'state'; readonly address: Address }
  | { readonly kind: 'lock-file'; readonly address: Address }
  | { readonly kind: 'none'; readonly problem: string };

/** The name of a workspace's state (terraform internal/backend/remote-state/s3/backend_state.go, `path`). */
export function stateKey(
  { key, workspacePrefix }: Pick<S3Place, 'key' | 'workspacePrefix'>,
  workspace: string,
): string {
  return workspace === DEFAULT_WORKSPACE ? key : posix.join(workspacePrefix, workspace, key);
}

/** The name of the object beside a state that is its lock file. */
export function lockFileKey(stateName: string): string {
  return stateName + LOCK_FILE_SUFFIX;
}

/** What to list to find all workspaces. */
export function listPrefix({ workspacePrefix }: Pick<S3Place, 'workspacePrefix'>): string {
  return workspacePrefix === '' ? '' : `${workspacePrefix}/`;
}

/** The workspace whose state an object is; null when it is something else, such as a lock. */
export function workspaceOf(place: S3Place, object: string): string | null {
  const prefix = listPrefix(place);
  if (!object.startsWith(prefix)) return null;
  const rest = object.slice(prefix.length);
  const slash = rest.indexOf('/');
  return slash > 0 && rest.slice(slash + 1) === place.key ? rest.slice(0, slash) : null;
}

/**
 * Reads an object's name: `env:/dev/net/terraform.tfstate` is workspace `dev` of `net/terraform.tfstate`, any other name is
 * the key itself (terraform internal/backend/remote-state/s3/backend_state.go, `path`). With another
 * `workspace_key_prefix` each workspace is simply a key of its own.
 */
export function readObjectName(bucket: string, name: string): ObjectName {
  const isLock = name.endsWith(LOCK_FILE_SUFFIX);
  const state = isLock ? name.slice(0, -LOCK_FILE_SUFFIX.length) : name;
  const address = stateAddress(bucket, state);
  if (!isAddress(address)) return { kind: 'none', problem: address.problem };
  return { kind: isLock ? 'lock-file' : 'state', address };
}

/** The name of the object that holds a state, in the bucket of its project. */
export function stateObject(address: Address): string {
  return objectName(address);
}

/** The name of the object that is its lock file. */
export function lockObject(address: Address): string {
  return lockFileKey(stateObject(address));
}

/** What the keys of lock files whose names begin so begin with; "" where a workspace may stand before the key. */
export function lockedKeyPrefix(prefix: string): string {
  if (prefix.startsWith(WORKSPACES) || WORKSPACES.startsWith(prefix)) return '';
  const dot = prefix.lastIndexOf('.');
  // The prefix may reach into what is behind the key.
  return dot !== -1 && LOCK_FILE_SUFFIX.startsWith(prefix.slice(dot)) ? prefix.slice(0, dot) : prefix;
}

/** A version of a state by its number, or the mark that S3 keeps in place of a deleted object. */
export type VersionId =
  | { readonly kind: 'version'; readonly number: number }
  | { readonly kind: 'delete-marker'; readonly number: number };

/** Version IDs are opaque to clients: here they are the house's version numbers, `d7` the mark of a deletion. */
export function readVersionId(text: string): VersionId | null {
  const match = /^(d?)([1-9]\d{0,14})$/.exec(text);
  if (match === null) return null;
  return { kind: match[1] === 'd' ? 'delete-marker' : 'version', number: Number(match[2]) };
}

export function versionId(number: number): string {
  return String(number);
}

/** @param number the version that was the newest when the state was deleted */
export function deleteMarkerId(number: number): string {
  return `d${number}`;
}

/**
 * The bucket that a `Host` header names (virtual-hosted style), or null where the path names it. SDKs use the path where
 * the endpoint is an IP address, and put the bucket before any other host name unless they are told not to.
 * @param domain the name under which the house is reached, if it was told one
 */
export function bucketOfHost(host: string, domain: string | null): string | null {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  if (isIP(name.replace(/^\[|\]$/g, '')) !== 0) return null;
  const bases = ['localhost', ...(domain === null ? [] : [domain.toLowerCase()])];
  for (const base of bases) {
    if (name === base) return null;
    // AWS's own way to name an endpoint puts "s3" and a region before its domain.
    const rest = name.endsWith(`.${base}`) ? name.slice(0, -base.length - 1) : null;
    if (rest !== null) return withoutService(rest);
  }
  return /^(.+)\.s3[.-]/.exec(name)?.[1] ?? null;
}

function withoutService(labels: string): string | null {
  const bucket = labels.replace(/(?:^|\.)s3(?:[.-][a-z0-9-]+)?$/, '');
  return bucket === '' ? null : bucket;
}

function stateAddress(bucket: string, name: string): Address | { readonly problem: string } {
  if (!name.startsWith(WORKSPACES)) return makeAddress(bucket, name);
  const slash = name.indexOf('/', WORKSPACES.length);
  const workspace = slash === -1 ? name.slice(WORKSPACES.length) : name.slice(WORKSPACES.length, slash);
  // Otherwise one state would have two names.
  if (workspace === DEFAULT_WORKSPACE) {
    return { problem: `the workspace "${DEFAULT_WORKSPACE}" is the key itself, without "${WORKSPACES}"` };
  }
  return makeAddress(bucket, slash === -1 ? '' : name.slice(slash + 1), workspace);
}
