import {
  DEFAULT_WORKSPACE,
  isAddress,
  makeAddress,
  S3_WORKSPACE_PREFIX,
  type Address,
} from '../../core/address.ts';

/** What stands between an account's name and the name of the host that has its blobs. */
export const BLOB_LABEL = 'blob';
/** Below it is everything of this protocol that a host's name does not tell: `/azure/ACCOUNT/CONTAINER/BLOB`. */
export const AZURE_PREFIX = '/azure/';

/** Where clients learn of an environment that they do not know (`metadata_host` of the backend block). */
export const METADATA_PATH = '/metadata/endpoints';

/** What a lock is called that was taken as a lease of a blob at this door. */
export const AZURERM_ALIAS = 'azurerm';

/**
 * The metadata in which a lease's holder tells its lock info, as standard base64 of JSON
 * (terraform internal/backend/remote-state/azure/client.go, `lockInfoMetaKey`).
 */
export const LOCK_INFO_METADATA = 'terraformlockid';

/** What stands between a key and its workspace (`backend_state.go` in the same folder, `keyEnvPrefix`): the text of the s3 backend's. */
export const WORKSPACE_MARK: string = S3_WORKSPACE_PREFIX;

/** Names of storage accounts (Azure, "Naming rules and restrictions", Microsoft.Storage). */
export const ACCOUNT_NAME: RegExp = /^[0-9a-z]{3,24}$/;

/** The account of those who identify by no key of an account. */
export const SHARED_ACCOUNT = 'statehouse';

/** Seconds of a lease that ends by itself, and what stands for one that does not (Blob service REST API, "Lease Blob"). */
export const LEASE_SECONDS_MIN = 15;
export const LEASE_SECONDS_MAX = 60;
export const LEASE_INFINITE = '-1';

/** What a blob of the azurerm backend is. */
export type BlobName =
  | { readonly kind: 'state'; readonly address: Address }
  | { readonly kind: 'none'; readonly problem: string };

/**
 * Reads a blob's name: `net/app` is the state that a block's `key` names, `net/appenv:dev` that of its workspace `dev`. Its lock is
 * the lease of the blob itself.
 */
export function readBlobName(container: string, name: string): BlobName {
  const mark = name.lastIndexOf(WORKSPACE_MARK);
  const isMarked = mark > 0 && !name.includes('/', mark);
  const workspace = isMarked ? name.slice(mark + WORKSPACE_MARK.length) : DEFAULT_WORKSPACE;
  if (isMarked && workspace === DEFAULT_WORKSPACE) {
    const problem = `the workspace ${DEFAULT_WORKSPACE} is the blob without "${WORKSPACE_MARK}${DEFAULT_WORKSPACE}"`;
    return { kind: 'none', problem };
  }
  const address = makeAddress(container, isMarked ? name.slice(0, mark) : name, workspace);
  return isAddress(address) ? { kind: 'state', address } : { kind: 'none', problem: address.problem };
}

/** The name of the blob that holds a state; null for a state that has none here, since its own would be read as another's. */
export function stateBlob({ project, key, workspace }: Address): string | null {
  const name = workspace === DEFAULT_WORKSPACE ? key : `${key}${WORKSPACE_MARK}${workspace}`;
  const read = readBlobName(project, name);
  const isIts = read.kind === 'state' && read.address.key === key && read.address.workspace === workspace;
  return isIts ? name : null;
}

/** What the keys begin with of all states whose blobs' names begin so: the end may be of the workspace's name. */
export function keyPrefixOf(prefix: string): string {
  return prefix.replace(/e(?:n(?:v(?::[^/]*)?)?)?$/, '');
}

/** Headers that stand in what SharedKey signs, in this order, beside those of `x-ms-` (Azure, "Authorize with Shared Key"). */
export const SIGNED_HEADERS: readonly string[] = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
];
