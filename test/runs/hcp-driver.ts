import type { HouseProcess } from '../support/house-process.ts';
import { ask, type Answer } from '../support/request.ts';
import { workspaceId } from '../../src/protocols/hcp/layout.ts';
import type { Address } from '../../src/core/address.ts';

/** A run as the hcp door tells it. */
export interface ToldRun {
  readonly id: string;
  readonly status: string;
}

interface Document {
  readonly data: { readonly id: string; readonly attributes: Readonly<Record<string, unknown>> };
}

/** Makes runs and looks after them by the hcp door, as a program does. */
export class HcpDriver {
  readonly #house: HouseProcess;

  constructor(house: HouseProcess) {
    this.#house = house;
  }

  /** Makes the workspace of an address whose key has no "/". */
  async workspace({ project, key }: Address): Promise<void> {
    const data = { type: 'workspaces', attributes: { name: key } };
    await this.#ask('POST', `organizations/${project}/workspaces`, { data });
  }

  /** Uploads a configuration and makes a run of it. */
  async run(address: Address, slug: Uint8Array, version: string): Promise<string> {
    const attributes = { speculative: false };
    const made = await this.#told('POST', `workspaces/${workspaceId(address)}/configuration-versions`, {
      data: { type: 'configuration-versions', attributes },
    });
    const url = new URL(String(made.data.attributes['upload-url']));
    const taken = await ask(this.#house.url, 'PUT', url.pathname, { as: null, body: slug });
    if (taken.status !== 200) throw new Error(`not uploaded: ${taken.text}`);
    const configuration = { data: { type: 'configuration-versions', id: made.data.id } };
    const run = await this.#told('POST', 'runs', {
      data: {
        type: 'runs',
        attributes: { 'terraform-version': version },
        relationships: { 'configuration-version': configuration },
      },
    });
    return run.data.id;
  }

  /** A run as it is now; null where there is none. */
  async show(id: string): Promise<ToldRun | null> {
    const answer = await this.#ask('GET', `runs/${id}`);
    if (answer.status === 404) return null;
    const { data } = JSON.parse(answer.text) as Document;
    return { id, status: String(data.attributes['status']) };
  }

  async act(id: string, action: string): Promise<number> {
    return (await this.#ask('POST', `runs/${id}/actions/${action}`, {})).status;
  }

  /** All that a phase has said. */
  async log(id: string, phase: 'plan' | 'apply'): Promise<string> {
    const told = await this.#told('GET', `runs/${id}/${phase}`);
    const url = new URL(String(told.data.attributes['log-read-url']));
    return (await ask(this.#house.url, 'GET', `${url.pathname}?offset=0&limit=1000000`, { as: null })).text;
  }

  async #told(method: string, path: string, body?: object): Promise<Document> {
    const answer = await this.#ask(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as Document;
  }

  #ask(method: string, path: string, body?: object): Promise<Answer> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return ask(this.#house.url, method, `/api/v2/${path}`, sent);
  }
}
