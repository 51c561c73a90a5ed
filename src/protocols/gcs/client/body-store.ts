import type { BodyStore, ObjectPage } from '../../../ports/body-store.ts';
import type { Environment } from '../../../ports/environment.ts';
import { lengthOf } from '../../exchange.ts';
import { answerOf, asStore, type ObjectPlace, patienceFor, refused } from '../../object-requests.ts';
import { listOf, parseJson, textOf } from '../../wire/json-value.ts';
import { UPLOAD_PREFIX } from '../layout.ts';
import { readGcsConfig } from './config.ts';
import { messageOf } from './faults.ts';
import { GcsRequests, type GcsReply, type GcsRequest } from './request.ts';

const PAGE = '1000';

/** Bodies in a bucket of Cloud Storage. */
export class GcsBodyStore implements BodyStore {
  readonly place: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #requests: GcsRequests;

  /** @throws {EngineFault} where the credentials cannot be read */
  constructor(place: ObjectPlace, env: Environment) {
    this.place = place.text;
    this.#bucket = encodeURIComponent(place.bucket);
    this.#prefix = place.prefix;
    const endpoint = place.options['endpoint'];
    const attributes = {
      bucket: place.bucket,
      ...(endpoint === undefined
        ? {}
        : { storage_custom_endpoint: `${endpoint.replace(/\/+$/, '')}/storage/v1/` }),
    };
    const source = { env, folder: '.', noExternal: false };
    this.#requests = asStore(place.text, () => new GcsRequests(readGcsConfig(attributes, source)));
  }

  async put(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    const query = { uploadType: 'media', name: `${this.#prefix}${name}` };
    const url = this.#requests.api(`${UPLOAD_PREFIX}b/${this.#bucket}/o`, query);
    const headers = { 'Content-Type': 'application/octet-stream' };
    const reply = await this.#ask({ method: 'POST', url, headers, body: pieces });
    const size = textOf(parseJson(reply.body), 'size');
    if (reply.status !== 200 || (size !== null && Number(size) !== lengthOf(pieces)))
      throw this.#refusal('store a state', reply);
  }

  async get(name: string, from: number, length: number): Promise<Uint8Array | null> {
    const headers = { Range: `bytes=${from}-${from + length - 1}` };
    const reply = await this.#ask({ method: 'GET', url: this.#object(name, { alt: 'media' }), headers });
    if (reply.status === 404 && !isBucket(reply)) return null;
    if (reply.status === 416) return new Uint8Array();
    // A store that heeds no range answers with the whole.
    if (reply.status === 200) return reply.body.subarray(from, from + length);
    if (reply.status !== 206) throw this.#refusal('give a state', reply);
    return reply.body;
  }

  async delete(name: string): Promise<void> {
    const reply = await this.#ask({ method: 'DELETE', url: this.#object(name) });
    if (reply.status === 404 && !isBucket(reply)) return;
    if (reply.status !== 204 && reply.status !== 200) throw this.#refusal('delete an object', reply);
  }

  async list(from: string | null): Promise<ObjectPage> {
    const url = this.#requests.api(`b/${this.#bucket}/o`, {
      maxResults: PAGE,
      prefix: this.#prefix,
      ...(from === null ? {} : { pageToken: from }),
    });
    const reply = await this.#ask({ method: 'GET', url });
    const json = parseJson(reply.body);
    const now = Date.parse(String(reply.headers['date'] ?? ''));
    if (reply.status !== 200 || Number.isNaN(now)) throw this.#refusal('list its objects', reply);
    const objects = listOf(json, 'items').map((item) => ({
      name: (textOf(item, 'name') ?? '').slice(this.#prefix.length),
      size: Number(textOf(item, 'size')),
      at: Date.parse(textOf(item, 'updated') ?? ''),
    }));
    return { objects, next: textOf(json, 'nextPageToken') || null, now };
  }

  #object(name: string, query: Readonly<Record<string, string>> = {}): URL {
    const encoded = encodeURIComponent(`${this.#prefix}${name}`);
    return this.#requests.api(`b/${this.#bucket}/o/${encoded}`, query);
  }

  #ask(request: GcsRequest): Promise<GcsReply> {
    const patience = patienceFor(lengthOf(request.body ?? []));
    return answerOf(this.place, patience, (signal) =>
      this.#requests.send({ ...request, signal, cuts: true }),
    );
  }

  #refusal(what: string, reply: GcsReply): Error {
    return refused(this.place, what, reply.status, messageOf(reply));
  }
}

/** Whether it is the bucket that is missing. */
function isBucket(reply: GcsReply): boolean {
  return /bucket does not exist/i.test(messageOf(reply));
}
