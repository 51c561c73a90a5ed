import { ApiClient, type ApiResponse } from '../../../api/client.ts';
import { ApiError } from '../../../api/error.ts';
import type { Address } from '../../../core/address.ts';
import { formatAddress, isAddress } from '../../../core/address.ts';
import type { LockShape } from '../../../api/shapes/lock.ts';
import type { StateVersion } from '../../../ports/state-client.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import type { HttpConfig } from './config.ts';
import { send } from './request.ts';
import { addressOf } from '../layout.ts';

/** A house with more workspaces of one state is not listed to its end. */
const STATES_MAX = 100_000;

/** An answer that has come whole. */
interface WholeResponse extends ApiResponse {
  readonly body: Uint8Array;
}

/** What a house tells through its own API, beyond what the http backend's protocol has words for. */
export class HouseApi {
  readonly #origin: URL;
  readonly #api: ApiClient<WholeResponse>;

  constructor(config: HttpConfig) {
    const origin = new URL(config.address);
    this.#origin = origin;
    this.#api = new ApiClient(async (path, { method, body }) => {
      const given = body === null ? {} : { body: Buffer.from(body) };
      const reply = await send(config, { method, url: new URL(path, origin), ...given });
      const text = (): Promise<string> => Promise.resolve(Buffer.from(reply.body).toString());
      return { status: reply.status, body: reply.body, text };
    });
  }

  /** The workspaces that have a state at this project and key. */
  async workspaces(): Promise<readonly string[]> {
    const { project, key } = this.addressOf('default');
    const states = this.#api.list('list-states', { project, prefix: key }, STATES_MAX);
    const { items } = await states.catch(refuse);
    return items
      .filter((state) => state.key === key && state.newest !== null)
      .map(({ workspace }) => workspace)
      .sort();
  }

  async versions(workspace: string, limit: number): Promise<readonly StateVersion[]> {
    const address = formatAddress(this.addressOf(workspace));
    const { items } = await this.#api.list('list-versions', { address }, limit).catch(refuse);
    return items.map(({ version, at, size }) => ({
      id: String(version),
      at: new Date(at),
      size,
      deleted: false,
    }));
  }

  async read(workspace: string, version: string): Promise<Uint8Array | null> {
    if (!/^[1-9]\d{0,14}$/.test(version)) return null;
    const address = formatAddress(this.addressOf(workspace));
    try {
      const query = { address, version: Number(version) };
      return (await this.#api.stream('download-version', { query })).body;
    } catch (fault) {
      if (fault instanceof ApiError && fault.status === 404) return null;
      return refuse(fault);
    }
  }

  /** The lock, and who waits for it; null where the server does not say. */
  async lock(workspace: string): Promise<LockShape | null> {
    const query = { address: formatAddress(this.addressOf(workspace)) };
    try {
      return await this.#api.ask('show-lock', { query });
    } catch (fault) {
      if (fault instanceof ApiError && fault.status !== 200) return null;
      return refuse(fault);
    }
  }

  /** The address of a workspace. @throws BackendFault when it is not one */
  addressOf(workspace: string): Address {
    const asked = this.#origin.searchParams.get('workspace');
    const address = addressOf(this.#origin.pathname, workspace === 'default' ? asked : workspace);
    if (isAddress(address)) return address;
    throw new BackendFault(
      'configuration',
      `the http backend's address is not one of a Statehouse server: ${address.problem}`,
    );
  }
}

/** Throws a fault of the API in the words of a backend, and any other as it is. */
function refuse(fault: unknown): never {
  if (!(fault instanceof ApiError)) throw fault;
  const { status } = fault;
  if (status === 200) throw new BackendFault('other', 'the answer of the server is not a JSON object');
  throw new BackendFault(
    status === 401 || status === 403 ? 'denied' : 'other',
    `the server refused the request: HTTP ${status}`,
    status === 404 ? 'Only a Statehouse server keeps a history and lists workspaces over http.' : '',
  );
}
