import { isAddress, makeAddress, RESERVED_SUFFIXES, type Address } from '../../core/address.ts';

/** Where Google's clients find the JSON API, below any endpoint that they are given. */
export const JSON_PREFIX = '/storage/v1/';
/** Where they send what has a body: always at the root of the endpoint's host (google.golang.org/api/storage/v1). */
export const UPLOAD_PREFIX = '/upload/storage/v1/';
/** Where those send it that take the path for uploads in pieces from the API's discovery document, as gsutil does. */
export const RESUMABLE_PREFIX = '/resumable/upload/storage/v1/';
/** Where the JSON API names what it answers a `mediaLink` with. */
export const DOWNLOAD_PREFIX = '/download/storage/v1/';

/** Where a service account's key is exchanged for an access token: the `token_uri` of a key file. */
export const TOKEN_PATH = '/gcs/token';
/** What a key file calls the account of a credential: the id, and this. */
export const ACCOUNT_DOMAIN = '@statehouse';

/** What a lock is called that was taken as an object at this door. */
export const GCS_ALIAS = 'gcs';

/** terraform internal/backend/remote-state/gcs/backend_state.go, `stateFile` */
export const STATE_SUFFIX = '.tfstate';
export const LOCK_SUFFIX: string = RESERVED_SUFFIXES.gcsLock;

/** What an object of the gcs backend is. */
export type ObjectName =
  | { readonly kind: 'state'; readonly address: Address }
  | { readonly kind: 'lock'; readonly address: Address }
  | { readonly kind: 'none'; readonly problem: string };

/**
 * Reads an object's name: `net/app/dev.tfstate` is workspace `dev` of `net/app`, which is the block's `prefix`; beside it
 * `net/app/dev.tflock` is its lock.
 */
export function readObjectName(bucket: string, name: string): ObjectName {
  const isLock = name.endsWith(LOCK_SUFFIX);
  const suffix = isLock ? LOCK_SUFFIX : STATE_SUFFIX;
  if (!name.endsWith(suffix))
    return { kind: 'none', problem: `it ends with neither ${STATE_SUFFIX} nor ${LOCK_SUFFIX}` };
  const slash = name.lastIndexOf('/');
  if (slash === -1) {
    const problem = `a state stands below a prefix: give the backend block one, such as prefix = "terraform"`;
    return { kind: 'none', problem };
  }
  const address = makeAddress(bucket, name.slice(0, slash), name.slice(slash + 1, -suffix.length));
  if (!isAddress(address)) return { kind: 'none', problem: address.problem };
  return { kind: isLock ? 'lock' : 'state', address };
}

/** The name of the object that holds a state, in the bucket of its project. */
export function stateObject({ key, workspace }: Address): string {
  return `${key}/${workspace}${STATE_SUFFIX}`;
}

/** The name of the object that is its lock. */
export function lockObject({ key, workspace }: Address): string {
  return `${key}/${workspace}${LOCK_SUFFIX}`;
}

/** What the keys begin with of all states whose objects' names begin so. */
export function keyPrefixOf(prefix: string): string {
  const slash = prefix.lastIndexOf('/');
  return slash === -1 ? '' : prefix.slice(0, slash);
}
