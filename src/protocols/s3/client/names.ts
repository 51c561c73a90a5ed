import { posix } from 'node:path';
import { DEFAULT_WORKSPACE } from '../../../core/address.ts';

/** How the s3 backend names things (terraform internal/backend/remote-state/s3/{backend_state,client}.go). */
export const DEFAULT_WORKSPACE_PREFIX = 'env:';
const LOCK_SUFFIX = '.tflock';
const DIGEST_SUFFIX = '-md5';

export interface S3Place {
  readonly bucket: string;
  readonly key: string;
  readonly workspacePrefix: string;
}

/** The object of a workspace's state. */
export function stateKey({ key, workspacePrefix }: S3Place, workspace: string): string {
  return workspace === DEFAULT_WORKSPACE ? key : posix.join(workspacePrefix, workspace, key);
}

export function lockKey(place: S3Place, workspace: string): string {
  return stateKey(place, workspace) + LOCK_SUFFIX;
}

/** The `LockID` of the lock's DynamoDB item, and the `Path` of every lock info. */
export function lockPath(place: S3Place, workspace: string): string {
  return `${place.bucket}/${stateKey(place, workspace)}`;
}

/** The `LockID` of the item that has the state's MD5. */
export function digestPath(place: S3Place, workspace: string): string {
  return lockPath(place, workspace) + DIGEST_SUFFIX;
}

/** What to list to find all workspaces. */
export function listPrefix({ workspacePrefix }: S3Place): string {
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
