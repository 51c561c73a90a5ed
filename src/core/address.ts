/**
 * An address names one state: `project` / `key` @ `workspace`.
 * Its text form is `app/net/terraform.tfstate@dev`; the workspace `default` is left out where that is unambiguous, and an
 * "@" in a workspace's name, which a key may have as well, is written "%40".
 */
export interface Address {
  readonly project: string;
  readonly key: string;
  readonly workspace: string;
}

export const DEFAULT_WORKSPACE = 'default';

/** S3 bucket names end at 63 characters; the other stores allow at least as many. */
const PROJECT_LENGTH_MAX = 63;
/** S3 and GCS object names end at 1,024 bytes of UTF-8, and the workspace must fit beside the key. */
const KEY_BYTES_MAX = 900;
const WORKSPACE_LENGTH_MAX = 90;

/**
 * What the name of something that a protocol keeps beside a state ends with, so that no state may carry such a name. This is
 * the one list: the layouts of the protocols take their names from here.
 */
export const RESERVED_SUFFIXES = {
  /** The s3 backend's lock file (terraform internal/backend/remote-state/s3/client.go, `lockFileSuffix`). */
  s3LockFile: '.tflock',
  /** The gcs backend's lock (terraform internal/backend/remote-state/gcs/backend_state.go, `lockFile`). */
  gcsLock: '.tflock',
  /** The s3 backend's digest item (`stateIDSuffix` in the same file). */
  s3Digest: '-md5',
  /** The consul backend's lock (terraform internal/backend/remote-state/consul/client.go, `lockSuffix`). */
  consulLock: '/.lock',
  /** The consul backend's lock info (`lockInfoSuffix` in the same file). */
  consulLockInfo: '/.lockinfo',
} as const;
/** The s3 backend's default `workspace_key_prefix`. */
export const S3_WORKSPACE_PREFIX = 'env:';

export type AddressProblem = { readonly problem: string };

const PROJECT = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
/** Terraform accepts a workspace name iff Go's `url.PathEscape(name) == name`. */
const WORKSPACE = /^[A-Za-z0-9\-_.~$&+=:@]+$/;

/**
 * Checks the three parts of an address.
 * @returns the address, or what is wrong with it in words for the person who typed it.
 */
export function makeAddress(
  project: string,
  key: string,
  workspace: string = DEFAULT_WORKSPACE,
): Address | AddressProblem {
  const problem = projectProblem(project) ?? keyProblem(key) ?? workspaceProblem(workspace);
  return problem === null ? { project, key, workspace } : { problem };
}

export function isAddress(value: Address | AddressProblem): value is Address {
  return !('problem' in value);
}

/** What is wrong with a project name, or null. */
export function projectProblem(project: string): string | null {
  if (project.length > PROJECT_LENGTH_MAX) {
    return `a project name has at most ${PROJECT_LENGTH_MAX} characters`;
  }
  if (!PROJECT.test(project) || project.includes('..')) {
    return 'a project name is made of letters, digits, ".", "_" and "-", and begins and ends with a letter or digit';
  }
  return null;
}

/** What is wrong with a key, or null. */
export function keyProblem(key: string): string | null {
  if (key === '') return 'the key is empty';
  if (new TextEncoder().encode(key).length > KEY_BYTES_MAX) {
    return `a key has at most ${KEY_BYTES_MAX} bytes`;
  }
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(key)) return 'a key has no control characters';
  if (/[\ud800-\udfff]/u.test(key)) return 'a key is valid Unicode';
  const segments = key.split('/');
  if (segments.includes('')) return 'a key does not begin or end with "/" nor contain "//"';
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return 'a key has no "." or ".." segment';
  }
  if (segments[0] === S3_WORKSPACE_PREFIX) {
    return `a key does not begin with "${S3_WORKSPACE_PREFIX}/": that is where the s3 backend keeps workspaces`;
  }
  const reserved = Object.values(RESERVED_SUFFIXES).find((suffix) => `/${key}`.endsWith(suffix));
  if (reserved !== undefined) {
    return `a key does not end with "${reserved}": that names a lock or a digest, not a state`;
  }
  return null;
}

/** What is wrong with a workspace name, or null. */
export function workspaceProblem(workspace: string): string | null {
  if (workspace.length > WORKSPACE_LENGTH_MAX) {
    return `a workspace name has at most ${WORKSPACE_LENGTH_MAX} characters`;
  }
  if (!WORKSPACE.test(workspace) || workspace === '.' || workspace === '..') {
    return 'a workspace name is made of letters, digits and - _ . ~ $ & + = : @';
  }
  return null;
}

/** Whether two addresses are those of one state. */
export function isSameAddress(a: Address, b: Address): boolean {
  return a.project === b.project && a.key === b.key && a.workspace === b.workspace;
}

/** The text form, unique per address: `parseAddress` reads it back. */
export function formatAddress({ project, key, workspace }: Address): string {
  const path = `${project}/${key}`;
  const ambiguous = splitWorkspace(path).workspace !== null;
  return workspace === DEFAULT_WORKSPACE && !ambiguous ? path : `${path}@${workspaceText(workspace)}`;
}

/**
 * The one name of a state within its project where a store has no workspaces: its key, behind the workspace unless that is the
 * default one (terraform internal/backend/remote-state/s3/backend_state.go, `path`).
 */
export function objectName({ key, workspace }: Pick<Address, 'key' | 'workspace'>): string {
  return workspace === DEFAULT_WORKSPACE ? key : `${S3_WORKSPACE_PREFIX}/${workspace}/${key}`;
}

/** Reads `project/key[@workspace]`; the workspace is what follows the last "@" of the last segment. */
export function parseAddress(text: string): Address | AddressProblem {
  const { path, workspace } = splitWorkspace(text);
  const slash = path.indexOf('/');
  if (slash <= 0) return { problem: 'an address is written project/key or project/key@workspace' };
  return makeAddress(path.slice(0, slash), path.slice(slash + 1), workspace?.replaceAll('%40', '@'));
}

/** A workspace's name as it stands in text forms: "%" is in no such name. */
export function workspaceText(workspace: string): string {
  return workspace.replaceAll('@', '%40');
}

/** Takes a text form apart where its workspace begins; null where it names none. */
export function splitWorkspace(text: string): { readonly path: string; readonly workspace: string | null } {
  const at = text.lastIndexOf('@');
  return at < text.lastIndexOf('/') || at === -1
    ? { path: text, workspace: null }
    : { path: text.slice(0, at), workspace: text.slice(at + 1) };
}
