import { createHash } from 'node:crypto';
import type { StateVersion } from '../../../ports/state-client.ts';
import { BackendFault } from '../../../ports/state-client.ts';
import { isLockAnswer, LOCK_PARAMETER } from '../../http/layout.ts';
import type { GcsConfig } from './config.ts';
import { refusal } from './faults.ts';
import { fieldOf, listOf, parseJson, textOf } from '../../wire/json-value.ts';
import { stateName, workspaceOf } from './names.ts';
import { GcsRequests, type GcsReply, type GcsRequest } from './request.ts';
import { upload } from './upload.ts';

/** What an object is: a generation is a number that has no place in one of JavaScript's. */
export interface ObjectFacts {
  readonly generation: string;
  /** In base64; null where the server does not say. */
  readonly md5: string | null;
}

/** A bucket with more objects below the prefix is not listed to its end. */
const PAGES_MAX = 1_000;
const PAGE = '1000';

/** The calls of the JSON API that the gcs backend needs. */
export class GcsObjects {
  readonly #config: GcsConfig;
  readonly #requests: GcsRequests;

  constructor(config: GcsConfig) {
    this.#config = config;
    this.#requests = new GcsRequests(config);
  }

  /** The object's bytes and their generation; null when it is not there. */
  async get(
    name: string,
    generation?: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly generation: string } | null> {
    const query = { alt: 'media', ...(generation === undefined ? {} : { generation }) };
    const reply = await this.#ask('GET', name, query, this.#keyOf(name));
    if (reply.status === 404) return this.#absent(reply);
    if (reply.status !== 200) throw refusal(reply, `read ${name}`, this.#config);
    const { headers, body } = reply;
    const plain = (headers['x-goog-stored-content-encoding'] ?? 'identity') === 'identity';
    const md5 = /(?:^|[,\s])md5=([^,\s]+)/.exec(String(headers['x-goog-hash'] ?? ''))?.[1];
    if (plain && md5 !== undefined && md5 !== md5Of(body)) {
      const message = `the bytes of ${name} do not match the MD5 that came with them`;
      throw new BackendFault('corrupt', message, 'Try again; something on the way changes them.');
    }
    const said = headers['x-goog-generation'];
    return { bytes: body, generation: typeof said === 'string' ? said : (generation ?? '') };
  }

  /** What is known of an object; null when it is not there. */
  async describe(name: string): Promise<ObjectFacts | null> {
    const reply = await this.#ask('GET', name, {}, this.#keyOf(name));
    if (reply.status === 404) return this.#absent(reply);
    const generation = textOf(parseJson(reply.body), 'generation');
    if (reply.status !== 200 || generation === null) throw refusal(reply, `describe ${name}`, this.#config);
    return { generation, md5: textOf(parseJson(reply.body), 'md5Hash') };
  }

  /**
   * Puts an object where that generation is now, and "0" is none.
   * @returns the new generation; null when something else is there, which a repeated request may have put itself
   */
  async put(
    name: string,
    bytes: Uint8Array,
    generation: string,
    stop: Pick<GcsRequest, 'signal' | 'cuts'> = {},
  ): Promise<{ readonly generation: string } | { readonly generation: null; readonly reply: GcsReply }> {
    const isState = this.#isState(name);
    const reply = await upload(this.#requests, {
      bucket: this.#config.place.bucket,
      name,
      bytes,
      generation,
      headers: this.#keyOf(name),
      kmsKey: isState ? this.#config.kmsKey : null,
      ...stop,
    });
    if (reply.status === 412) return { generation: null, reply };
    const put = textOf(parseJson(reply.body), 'generation');
    if (reply.status !== 200 || put === null) throw refusal(reply, `write ${name}`, this.#config);
    return { generation: put };
  }

  /** Deletes an object if it is still of that generation. */
  async delete(name: string, generation: string): Promise<'deleted' | 'absent' | 'other'> {
    const reply = await this.#ask('DELETE', name, { ifGenerationMatch: generation });
    if (reply.status === 204 || reply.status === 200) return 'deleted';
    if (reply.status === 412) return 'other';
    if (reply.status !== 404) throw refusal(reply, `delete ${name}`, this.#config);
    this.#absent(reply);
    // The first answer was lost.
    return reply.resent ? 'deleted' : 'absent';
  }

  /** The names of all workspaces but `default`, sorted. */
  async workspaces(): Promise<readonly string[]> {
    const { place } = this.#config;
    const found = new Set<string>();
    for await (const item of this.#list({ prefix: place.prefix, delimiter: '/' })) {
      const workspace = workspaceOf(place, textOf(item, 'name') ?? '');
      if (workspace !== null) found.add(workspace);
    }
    return [...found].sort();
  }

  /** All generations of a workspace's state, the newest first. */
  async versions(workspace: string, limit: number): Promise<readonly StateVersion[]> {
    const name = stateName(this.#config.place, workspace);
    const found: StateVersion[] = [];
    for await (const item of this.#list({ prefix: name, versions: 'true' })) {
      if (textOf(item, 'name') !== name) continue;
      const at = new Date(textOf(item, 'timeCreated') ?? 0);
      const size = Number(fieldOf(item, 'size') ?? Number.NaN);
      const version = { id: textOf(item, 'generation') ?? '', at, deleted: false };
      found.push({ ...version, size: Number.isFinite(size) ? size : null });
    }
    return found.sort((a, b) => compareNumbers(b.id, a.id)).slice(0, limit);
  }

  /** What the bucket is set to; null where asking is not allowed. */
  async bucket(): Promise<unknown> {
    const reply = await this.#requests.send({ method: 'GET', url: this.#requests.api(this.#bucketPath()) });
    if (reply.status === 404) throw refusal(reply, 'describe the bucket', this.#config);
    return reply.status === 200 ? parseJson(reply.body) : null;
  }

  /** Who may do what in the bucket; null where asking is not allowed. */
  async policy(): Promise<unknown> {
    const url = this.#requests.api(`${this.#bucketPath()}/iam`);
    const reply = await this.#requests.send({ method: 'GET', url });
    return reply.status === 200 ? parseJson(reply.body) : null;
  }

  /** Whether the endpoint is that of a Statehouse server, which has its own answer to whoever asks for a lock over http. */
  async isHouse(path: string): Promise<boolean> {
    const url = new URL(path, this.#config.endpoint);
    url.searchParams.set(LOCK_PARAMETER, '');
    const { status, body } = await this.#requests.send({ method: 'GET', url });
    return isLockAnswer(status, body);
  }

  async *#list(query: Readonly<Record<string, string>>): AsyncGenerator<unknown> {
    let token: string | null = null;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const more: Record<string, string> = token === null ? {} : { pageToken: token };
      const url = this.#requests.api(`${this.#bucketPath()}/o`, { ...query, ...more, maxResults: PAGE });
      const reply = await this.#requests.send({ method: 'GET', url });
      if (reply.status !== 200) throw refusal(reply, 'list the objects', this.#config);
      const answer = parseJson(reply.body);
      yield* listOf(answer, 'items');
      token = textOf(answer, 'nextPageToken');
      if (token === null) return;
    }
  }

  #ask(
    method: 'GET' | 'DELETE',
    name: string,
    query: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<GcsReply> {
    const path = `${this.#bucketPath()}/o/${encodeURIComponent(name)}`;
    return this.#requests.send({ method, url: this.#requests.api(path, query), headers });
  }

  #bucketPath(): string {
    return `b/${encodeURIComponent(this.#config.place.bucket)}`;
  }

  /** The object is missing, unless it is the bucket. */
  #absent(reply: GcsReply): null {
    const fault = refusal(reply, 'read', this.#config);
    if (fault.kind === 'missing') throw fault;
    return null;
  }

  #isState(name: string): boolean {
    return (
      workspaceOf(this.#config.place, name) !== null || name === stateName(this.#config.place, 'default')
    );
  }

  /** A key of the customer's own goes with states alone: whoever is refused must be able to read the lock. */
  #keyOf(name: string): Readonly<Record<string, string>> {
    const { encryptionKey } = this.#config;
    if (encryptionKey === null || !this.#isState(name)) return {};
    return {
      'x-goog-encryption-algorithm': 'AES256',
      'x-goog-encryption-key': encryptionKey,
      'x-goog-encryption-key-sha256': createHash('sha256')
        .update(Buffer.from(encryptionKey, 'base64'))
        .digest('base64'),
    };
  }
}

/** In base64. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

function compareNumbers(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
