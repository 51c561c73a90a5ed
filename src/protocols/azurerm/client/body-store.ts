import type { BodyStore, ObjectPage } from '../../../ports/body-store.ts';
import type { Environment } from '../../../ports/environment.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { lengthOf } from '../../exchange.ts';
import { answerOf, asStore, type ObjectPlace, patienceFor, refused } from '../../object-requests.ts';
import { readXml, xmlText } from '../../wire/xml-reader.ts';
import { readAzurermConfig, type AzurermConfig } from './config.ts';
import { AzureRequests, withoutMark, type AzureReply, type AzureRequest } from './request.ts';

const PAGE = '1000';

/** Bodies in a container of Azure's blobs. */
export class AzureBodyStore implements BodyStore {
  readonly place: string;
  readonly #container: string;
  readonly #prefix: string;
  readonly #requests: AzureRequests;

  /** @throws {EngineFault} where the account or the credentials cannot be read */
  constructor(place: ObjectPlace, env: Environment) {
    this.place = place.text;
    this.#container = place.bucket;
    this.#prefix = place.prefix;
    const endpoint = place.options['endpoint'];
    const base = endpoint === undefined ? null : new URL(`${endpoint.replace(/\/+$/, '')}/`);
    this.#requests = asStore(place.text, () => new AzureRequests(configOf(place, env), base));
  }

  async put(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const headers = { 'x-ms-blob-type': 'BlockBlob', 'Content-Type': 'application/octet-stream' };
    const reply = await this.#ask({ method: 'PUT', path: this.#blob(name), headers, body: pieces });
    if (reply.status !== 201) throw this.#refusal('store a state', reply);
  }

  async get(name: string, from: number, length: number): Promise<Uint8Array | null> {
    const headers = { 'x-ms-range': `bytes=${from}-${from + length - 1}` };
    const reply = await this.#ask({ method: 'GET', path: this.#blob(name), headers });
    if (reply.status === 404 && isBlob(reply)) return null;
    if (reply.status === 416) return new Uint8Array();
    // A store that heeds no range answers with the whole.
    if (reply.status === 200) return reply.body.subarray(from, from + length);
    if (reply.status !== 206) throw this.#refusal('give a state', reply);
    return reply.body;
  }

  async delete(name: string): Promise<void> {
    const headers = { 'x-ms-delete-snapshots': 'include' };
    const reply = await this.#ask({ method: 'DELETE', path: this.#blob(name), headers });
    if (reply.status === 404 && isBlob(reply)) return;
    if (reply.status !== 202) throw this.#refusal('delete an object', reply);
  }

  async list(from: string | null): Promise<ObjectPage> {
    const query = {
      restype: 'container',
      comp: 'list',
      maxresults: PAGE,
      ...(this.#prefix === '' ? {} : { prefix: this.#prefix }),
      ...(from === null ? {} : { marker: from }),
    };
    const reply = await this.#ask({ method: 'GET', path: [this.#container], query });
    const xml = reply.status === 200 ? readXml(withoutMark(reply.body)) : null;
    const now = Date.parse(String(reply.headers['date'] ?? ''));
    if (xml === null || Number.isNaN(now)) throw this.#refusal('list its objects', reply);
    const blobs = xml.children.find(({ name }) => name === 'Blobs')?.children ?? [];
    const objects = blobs
      .filter(({ name }) => name === 'Blob')
      .map((blob) => ({
        name: (xmlText(blob, 'Name') ?? '').slice(this.#prefix.length),
        size: Number(xmlText(blob, 'Properties', 'Content-Length')),
        at: Date.parse(xmlText(blob, 'Properties', 'Last-Modified') ?? ''),
      }));
    return { objects, next: xmlText(xml, 'NextMarker') || null, now };
  }

  #blob(name: string): readonly string[] {
    return [this.#container, `${this.#prefix}${name}`];
  }

  #ask(request: AzureRequest): Promise<AzureReply> {
    const patience = patienceFor(lengthOf(request.body ?? []));
    return answerOf(this.place, patience, (signal) =>
      this.#requests.send({ ...request, signal, cuts: true }),
    );
  }

  #refusal(what: string, reply: AzureReply): Error {
    return refused(this.place, what, reply.status, reply.code);
  }
}

/** Whether it is the blob that is missing, and not its container. */
function isBlob({ code }: AzureReply): boolean {
  return !code.startsWith('Container');
}

/** As the azurerm backend is configured, and by the names that Azure's own command line has. Without a key, a token is asked for. */
function configOf({ bucket, options }: ObjectPlace, env: Environment): AzurermConfig {
  const account = options['account'] ?? env['AZURE_STORAGE_ACCOUNT'];
  if (account === undefined) {
    const next = 'Write azblob://CONTAINER/PREFIX?account=ACCOUNT, or set AZURE_STORAGE_ACCOUNT.';
    throw new BackendFault('configuration', 'the storage account is missing', next);
  }
  const key = env['ARM_ACCESS_KEY'] ?? env['AZURE_STORAGE_KEY'];
  const sas = env['ARM_SAS_TOKEN'] ?? env['AZURE_STORAGE_SAS_TOKEN'];
  const attributes = {
    storage_account_name: account,
    container_name: bucket,
    key: 'bodies',
    ...(key === undefined ? {} : { access_key: key }),
    ...(sas === undefined ? {} : { sas_token: sas }),
    ...(key === undefined && sas === undefined ? { use_azuread_auth: true } : {}),
  };
  return readAzurermConfig(attributes, { env, folder: '.', noExternal: false });
}
