import {
  DEFAULT_WORKSPACE,
  isAddress,
  makeAddress,
  S3_WORKSPACE_PREFIX,
  type Address,
} from '../../core/address.ts';

/** Terraform's lock file beside a state (terraform internal/backend/remote-state/s3/client.go, `lockFileSuffix`). */
export const LOCK_FILE_SUFFIX = '.tflock';

/** What an object of the s3 backend is. The same names, with the bucket before them, are DynamoDB's lock IDs. */
export type ObjectName =
  | { readonly kind: 'state'; readonly address: Address }
  | { readonly kind: 'lock-file'; readonly address: Address }
  | { readonly kind: 'none'; readonly problem: string };

const WORKSPACES = `${S3_WORKSPACE_PREFIX}/`;

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

/** The name of the object that holds a state. */
export function stateObject({ key, workspace }: Address): string {
  return workspace === DEFAULT_WORKSPACE ? key : `${WORKSPACES}${workspace}/${key}`;
}

/** The name of the object that is its lock file. */
export function lockObject(address: Address): string {
  return `${stateObject(address)}${LOCK_FILE_SUFFIX}`;
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
