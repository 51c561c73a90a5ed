import type { DoorRequest } from '../../door.ts';
import { decodeUriText, readQuery } from '../../wire/uri.ts';
import { API_PREFIX, DATACENTER } from '../layout.ts';

/** The operations of this door. */
export type Operation =
  | 'kv.get'
  | 'kv.keys'
  | 'kv.list'
  | 'kv.put'
  | 'kv.acquire'
  | 'kv.release'
  | 'kv.delete'
  | 'kv.delete-tree'
  | 'txn'
  | 'session.create'
  | 'session.renew'
  | 'session.destroy'
  | 'session.info'
  | 'session.list'
  | 'session.node'
  | 'status.leader'
  | 'status.peers'
  | 'agent.self'
  | 'catalog.datacenters'
  | 'acl.token.self';

/** What a request asks. */
export interface DetectedRequest {
  readonly operation: Operation;
  /** The key, the session or the node that is meant; empty for none. */
  readonly name: string;
  readonly query: ReadonlyMap<string, string>;
}

export interface Undetected {
  readonly problem: 'invalid' | 'method' | 'unknown';
  readonly message: string;
}

/** Of the paths other than keys: the method, the path, and whether a name follows. */
const ROWS: readonly (readonly [method: string, path: string, operation: Operation, named: boolean])[] = [
  ['PUT', 'txn', 'txn', false],
  ['PUT', 'session/create', 'session.create', false],
  ['PUT', 'session/renew/', 'session.renew', true],
  ['PUT', 'session/destroy/', 'session.destroy', true],
  ['GET', 'session/info/', 'session.info', true],
  ['GET', 'session/list', 'session.list', false],
  ['GET', 'session/node/', 'session.node', true],
  ['GET', 'status/leader', 'status.leader', false],
  ['GET', 'status/peers', 'status.peers', false],
  ['GET', 'agent/self', 'agent.self', false],
  ['GET', 'catalog/datacenters', 'catalog.datacenters', false],
  ['GET', 'acl/token/self', 'acl.token.self', false],
];

/** Parameters by which Consul is asked for what is not here. */
const NOT_HERE: readonly string[] = ['ns', 'partition', 'peer', 'near', 'filter'];

/** Reads method, path and query. */
export function detect({ path, query: text, method }: DoorRequest): DetectedRequest | Undetected {
  const query = readQuery(text);
  const rest = decodeUriText(path.slice(API_PREFIX.length));
  if (query === null || rest === null) {
    return { problem: 'invalid', message: 'the URL has a percent-escape that is not valid UTF-8' };
  }
  const dc = query.get('dc') ?? '';
  if (dc !== '' && dc !== DATACENTER) {
    const message = `No path to datacenter "${dc}": expected "${DATACENTER}", or no datacenter in the backend block`;
    return { problem: 'unknown', message };
  }
  const strange = NOT_HERE.find((name) => !['', 'default'].includes(query.get(name) ?? ''));
  if (strange !== undefined) return notDone(`the parameter "${strange}"`);
  if (rest.startsWith('kv/')) return detectKey(method, rest.slice('kv/'.length), query);
  const found = ROWS.filter(([, at, , named]) => (named ? rest.startsWith(at) : rest === at));
  const [first] = found;
  if (first === undefined) return notDone(`${API_PREFIX}${rest}`);
  const row = found.find(([known]) => known === method);
  if (row === undefined) return notAllowed(method, first[0]);
  const [, at, operation] = row;
  return { operation, name: rest.slice(at.length), query };
}

function detectKey(
  method: string,
  name: string,
  query: ReadonlyMap<string, string>,
): DetectedRequest | Undetected {
  const asked = (operation: Operation): DetectedRequest => ({ operation, name, query });
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (query.has('keys')) return asked('kv.keys');
      return asked(query.has('recurse') ? 'kv.list' : 'kv.get');
    case 'PUT':
      if (query.has('acquire')) return asked('kv.acquire');
      return asked(query.has('release') ? 'kv.release' : 'kv.put');
    case 'DELETE':
      return asked(query.has('recurse') ? 'kv.delete-tree' : 'kv.delete');
    default:
      return notAllowed(method, 'GET, PUT, DELETE');
  }
}

function notAllowed(method: string, expected: string): Undetected {
  return { problem: 'method', message: `method ${method} not allowed: expected ${expected}` };
}

function notDone(what: string): Undetected {
  return {
    problem: 'unknown',
    message: `${what} is not supported: this server keeps Terraform's states and locks, and does of Consul what backend "consul" needs`,
  };
}
