import type { Address } from '../../../core/address.ts';
import { formatAddress, isAddress } from '../../../core/address.ts';
import type { StateVersion } from '../../../ports/state-client.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { HttpConfig } from './config.ts';
import type { Reply } from './request.ts';
import { send } from './request.ts';
import { addressOf } from '../layout.ts';

const API = '/api/v1';
const PAGE = 500;
/** A house with more workspaces of one state is not listed to its end. */
const PAGES_MAX = 200;

/** What a house tells through its own API, beyond what the http backend's protocol has words for. */
export class HouseApi {
  readonly #config: HttpConfig;
  readonly #origin: URL;

  constructor(config: HttpConfig) {
    this.#config = config;
    this.#origin = new URL(config.address);
  }

  /** The workspaces that have a state at this project and key. */
  async workspaces(): Promise<readonly string[]> {
    const { project, key } = this.#address('default');
    const found: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query: Record<string, string> = { project, prefix: key, limit: String(PAGE) };
      const answer = await this.#ask('/states', cursor === null ? query : { ...query, cursor });
      for (const state of listOf(answer['states'])) {
        if (state['key'] === key && state['newest'] !== null) found.push(String(state['workspace']));
      }
      cursor = typeof answer['next'] === 'string' ? answer['next'] : null;
      if (cursor === null) break;
    }
    return found.sort();
  }

  async versions(workspace: string, limit: number): Promise<readonly StateVersion[]> {
    const address = formatAddress(this.#address(workspace));
    const found: StateVersion[] = [];
    let cursor: string | null = null;
    while (found.length < limit) {
      const query: Record<string, string> = { address, limit: String(Math.min(PAGE, limit - found.length)) };
      const answer = await this.#ask('/state/versions', cursor === null ? query : { ...query, cursor });
      for (const { version, at, size } of listOf(answer['versions'])) {
        found.push({ id: String(version), at: new Date(String(at)), size: Number(size), deleted: false });
      }
      cursor = typeof answer['next'] === 'string' ? answer['next'] : null;
      if (cursor === null) break;
    }
    return found;
  }

  async read(workspace: string, version: string): Promise<Uint8Array | null> {
    if (!/^[1-9]\d{0,14}$/.test(version)) return null;
    const address = formatAddress(this.#address(workspace));
    const reply = await this.#get('/state/content', { address, version });
    if (reply.status === 404) return null;
    if (reply.status !== 200) throw refused(reply);
    return reply.body;
  }

  /** How many wait for the lock; null where the house does not say. */
  async waiting(workspace: string): Promise<number | null> {
    const reply = await this.#get('/state/lock', { address: formatAddress(this.#address(workspace)) });
    if (reply.status !== 200) return null;
    return listOf(asObject(reply.body)['waiters']).length;
  }

  async #ask(
    path: string,
    query: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, unknown>>> {
    const reply = await this.#get(path, query);
    if (reply.status !== 200) throw refused(reply);
    return asObject(reply.body);
  }

  #get(path: string, query: Readonly<Record<string, string>>): Promise<Reply> {
    const url = new URL(`${API}${path}`, this.#origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return send(this.#config, 'GET', url, null);
  }

  #address(workspace: string): Address {
    const asked = this.#origin.searchParams.get('workspace');
    const address = addressOf(this.#origin.pathname, workspace === 'default' ? asked : workspace);
    if (isAddress(address)) return address;
    throw new BackendFault(
      'configuration',
      `the http backend's address is none of a house: ${address.problem}`,
    );
  }
}

function refused({ status }: Reply): BackendFault {
  return new BackendFault(
    status === 401 || status === 403 ? 'denied' : 'other',
    `the server does not tell: HTTP ${status}`,
    status === 404 ? 'Only a Statehouse keeps a history and lists workspaces over http.' : '',
  );
}

function asObject(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new BackendFault('other', 'the server answers something that is no JSON object');
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}
