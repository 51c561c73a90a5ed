import {
  DEFAULT_WORKSPACE,
  isAddress,
  makeAddress,
  RESERVED_SUFFIXES,
  type Address,
} from '../../core/address.ts';
import type { Milliseconds } from '../../core/instant.ts';

/** Where Consul's clients find its API, below the address that they are given. */
export const API_PREFIX = '/v1/';

/** What a lock is called that was acquired as a key at this door. */
export const CONSUL_ALIAS = 'consul';

/** The names that Consul's clients see of the one datacenter, and of its one node. */
export const DATACENTER = 'dc1';
export const NODE_NAME = 'statehouse';

/** What Go's client writes as the flags of a key that is a lock (`api/lock.go`, `LockFlagValue`); too large for a number. */
export const LOCK_FLAGS = '3304740253564472344';

/** What Go's client calls the sessions of its locks (`api/lock.go`, `DefaultLockSessionName`). */
export const LOCK_SESSION_NAME = 'Consul API Lock';

/** Terraform's name for a workspace's state (`internal/backend/remote-state/consul/backend_state.go`, `keyEnvPrefix`). */
export const WORKSPACE_MARK = '-env:';
/** The keys in which terraform stores what a Consul refused as too large (`client.go` in the same folder, `Put`). */
const CHUNK = /\/tfstate\.[0-9a-f]{32}(?:\/|$)/;

/** What a session may ask for (Consul's defaults of `session_ttl_min`, and `agent/structs`, `SessionTTLMax`, `MaxLockDelay`). */
export const SESSION_TTL_MIN: Milliseconds = 10_000;
export const SESSION_TTL_MAX: Milliseconds = 86_400_000;
export const LOCK_DELAY_MAX: Milliseconds = 60_000;
export const LOCK_DELAY_DEFAULT: Milliseconds = 15_000;
/** A session lives for so many of its TTLs: that is a lower bound (`agent/structs`, `SessionTTLMultiplier`). */
export const SESSION_TTL_MULTIPLIER = 2;

/** How long a blocking query waits, by default and at most (Consul's "Blocking Queries"). */
export const WAIT_DEFAULT: Milliseconds = 5 * 60_000;
export const WAIT_MAX: Milliseconds = 10 * 60_000;

/** What a key of the consul backend is. */
export type ConsulKey =
  | { readonly kind: 'state' | 'lock' | 'lock-info'; readonly address: Address }
  /** Part of a state that was cut up for a Consul: none is here. */
  | { readonly kind: 'chunk' }
  | { readonly kind: 'none'; readonly problem: string };

/**
 * Reads a key: `acme/net/app` is the state that a block's `path` names, `acme/net/app-env:dev` that of its workspace `dev`; below
 * either, `/.lock` is its lock and `/.lockinfo` says who holds it.
 */
export function readKey(key: string): ConsulKey {
  if (CHUNK.test(key)) return { kind: 'chunk' };
  const { kind, path } = readKind(key);
  const slash = path.indexOf('/');
  if (slash <= 0) {
    const problem = `invalid path "${path}": expected a project and a key, such as path = "acme/network"`;
    return { kind: 'none', problem };
  }
  const rest = path.slice(slash + 1);
  const mark = rest.lastIndexOf(WORKSPACE_MARK);
  const named = mark > 0 && !rest.includes('/', mark) ? rest.slice(mark + WORKSPACE_MARK.length) : null;
  if (named === DEFAULT_WORKSPACE) {
    const problem = `invalid path "${path}": the workspace ${DEFAULT_WORKSPACE} is the path without "${WORKSPACE_MARK}${DEFAULT_WORKSPACE}"`;
    return { kind: 'none', problem };
  }
  const address = makeAddress(
    path.slice(0, slash),
    named === null ? rest : rest.slice(0, mark),
    named ?? undefined,
  );
  if (!isAddress(address)) return { kind: 'none', problem: `invalid path "${path}": ${address.problem}` };
  return { kind, address };
}

/** The key of a state; null for one that has no name here, since its own would be read as another's. */
export function stateKey(address: Address): string | null {
  const { project, key, workspace } = address;
  const suffix = workspace === DEFAULT_WORKSPACE ? '' : `${WORKSPACE_MARK}${workspace}`;
  const path = `${project}/${key}${suffix}`;
  const read = readKey(path);
  const isIts = read.kind === 'state' && read.address.key === key && read.address.workspace === workspace;
  return isIts ? path : null;
}

/** The keys of a state's lock, and of who holds that: Consul takes no two slashes in a row there, so terraform drops those at the end. */
export function lockKeys(path: string): { readonly lock: string; readonly info: string } {
  const plain = withoutSlash(path);
  return { lock: plain + RESERVED_SUFFIXES.consulLock, info: plain + RESERVED_SUFFIXES.consulLockInfo };
}

/** What the keys begin with that hold the parts of a state, by the MD5 of the whole; without the hash, those of all that are there. */
export function chunkPrefix(path: string, hash?: string): string {
  return `${withoutSlash(path)}/tfstate.${hash === undefined ? '' : `${hash}/`}`;
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}

function readKind(key: string): { readonly kind: 'state' | 'lock' | 'lock-info'; readonly path: string } {
  const { consulLock, consulLockInfo } = RESERVED_SUFFIXES;
  if (key.endsWith(consulLock)) return { kind: 'lock', path: key.slice(0, -consulLock.length) };
  if (key.endsWith(consulLockInfo)) return { kind: 'lock-info', path: key.slice(0, -consulLockInfo.length) };
  return { kind: 'state', path: key };
}
