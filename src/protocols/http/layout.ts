import { makeAddress, type Address } from '../../core/address.ts';
import { parseJson, textOf } from '../wire/json-value.ts';

/**
 * How the http door names things. Terraform uses the address verbatim and only ever adds `ID=` to its query
 * (terraform internal/backend/remote-state/http/client.go), so the rest of the query is ours.
 */
export const PATH_PREFIX = '/http/';
/** Names the workspace, because the http backend has none of its own. */
export const WORKSPACE_PARAMETER = 'workspace';
/** Parks from the first request on: `wait=5m`. */
export const WAIT_PARAMETER = 'wait';
/** The address of the run of a pipeline that asks for the lock: our own, for the lock address of a pipeline. */
export const RUN_PARAMETER = 'run';
/** Makes PUT, POST, DELETE and GET speak of the lock, for clients that cannot send custom methods. */
export const LOCK_PARAMETER = 'lock';
/** Terraform names the lock that it writes under. */
export const LOCK_ID_PARAMETER = 'ID';

/** What locks taken through this door are called. */
export const HTTP_ALIAS = 'http';

/**
 * Reads the address out of a raw path, which must begin with {@link PATH_PREFIX}. An escaped "/" means the same as a plain one,
 * since no part of an address between two of them has one: blocks that were written for GitLab escape those in a state's name.
 */
export function addressOf(path: string, workspace: string | null): Address | { readonly problem: string } {
  const plain = decode(path.slice(PATH_PREFIX.length));
  if (plain === null) return { problem: 'the path has a percent-escape that is not valid UTF-8' };
  const [project = '', ...key] = plain.split('/');
  return makeAddress(project, key.join('/'), workspace ?? undefined);
}

/** The path and query of an address at this door. */
export function pathOf({ project, key, workspace }: Address): string {
  const path = [project, ...key.split('/')].map(encodeURIComponent).join('/');
  const query = workspace === 'default' ? '' : `?${WORKSPACE_PARAMETER}=${encodeURIComponent(workspace)}`;
  return `${PATH_PREFIX}${path}${query}`;
}

/** Whether this is how a Statehouse server answers {@link LOCK_PARAMETER}: who else is asked does not know the question. */
export function isLockAnswer(status: number, body: Uint8Array): boolean {
  const answer = parseJson(body);
  return (
    (status === 404 && textOf(answer, 'error') === 'absent') ||
    (status === 200 && textOf(answer, 'ID') !== null)
  );
}

/** The values of a query, first ones first; null when an escape is broken. */
export function parseQuery(query: string): ReadonlyMap<string, string> | null {
  const values = new Map<string, string>();
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode((equals === -1 ? pair : pair.slice(0, equals)).replaceAll('+', ' '));
    const value = decode(equals === -1 ? '' : pair.slice(equals + 1).replaceAll('+', ' '));
    if (name === null || value === null) return null;
    if (!values.has(name)) values.set(name, value);
  }
  return values;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
