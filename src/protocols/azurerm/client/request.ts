import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { lengthOf, type Reply, type Sent } from '../../exchange.ts';
import { readXml, xmlText } from '../../wire/xml-reader.ts';
import { findCloud, findEndpoint, Manager, STORAGE_RESOURCE, type Cloud } from './cloud.ts';
import type { AzurermConfig } from './config.ts';
import { Plain } from './plain.ts';
import { sharedKey } from './sign.ts';
import { Tokens } from './tokens.ts';

export interface AzureRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Below the account: container and blob; empty for the account itself. */
  readonly path: readonly string[];
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Sent;
  /** Ends the pauses. */
  readonly signal?: AbortSignal | null;
  /** Whether it ends a request that is under way, too. */
  readonly cuts?: boolean;
}

export interface AzureReply extends Reply {
  /** It was sent more than once: what was sent first may have done its work. */
  readonly resent: boolean;
  /** Azure's own name for the refusal: `LeaseAlreadyPresent`; empty where there is none. */
  readonly code: string;
}

/** How requests reach an account, found when the first is sent. */
interface Way {
  readonly endpoint: URL;
  readonly cloud: Cloud;
  /** The account's key, where one is used. */
  readonly key: string | null;
}

/** As terraform says it. */
const VERSION = '2023-11-03';
/** The pauses are 7.5 s together. */
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 500;
/** More of an error's words is not shown. */
const MESSAGE_LENGTH_MAX = 1_000;

/** Sends requests to the blob service, and again what may pass. Everything that is sent through it may be sent twice. */
export class AzureRequests {
  readonly #config: AzurermConfig;
  readonly #endpoint: URL | null;
  readonly #plain: Plain;
  readonly #tokens: Tokens;
  #way: Promise<Way> | null = null;

  /** @param endpoint where the account's blobs are, with a slash at its end; null for where the cloud has them */
  constructor(config: AzurermConfig, endpoint: URL | null = null) {
    this.#config = config;
    this.#endpoint = endpoint;
    this.#plain = new Plain(config);
    this.#tokens = new Tokens(config.identity, this.#plain);
  }

  /** Where the Statehouse server is that is asked; null where it is Azure. @throws BackendFault when that cannot be found out */
  async house(): Promise<string | null> {
    return (await this.#find()).cloud.house;
  }

  /** Sends it until there is an answer that will not be another one the next time. @throws BackendFault when nothing answers */
  async send(request: AzureRequest): Promise<AzureReply> {
    const way = await this.#find();
    let renewed = false;
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.#once(way, request).catch((fault: unknown) => fault);
      request.signal?.throwIfAborted();
      const last = attempt === ATTEMPTS_MAX;
      if (isReply(reply)) {
        const mayRenew: boolean = reply.status === 401 && !renewed && this.#config.login.type === 'token';
        if (last || !(mayRenew || passes(reply.status)))
          return { ...reply, resent: attempt > 1, code: codeOf(reply) };
        renewed ||= mayRenew;
        if (mayRenew) this.#tokens.renew();
      } else if (last || !(reply instanceof BackendFault) || reply.kind !== 'unreachable') throw reply;
      const stop = request.signal ?? undefined;
      await sleep(PAUSE_MS * 2 ** (attempt - 1), undefined, stop === undefined ? {} : { signal: stop });
    }
  }

  async #once(way: Way, request: AzureRequest): Promise<Reply> {
    const { method, path, query = {}, headers = {}, body, signal = null, cuts = false } = request;
    const bytes = lengthOf(body ?? []);
    const { account, login } = this.#config;
    const url = new URL(path.map(encodePath).join('/'), way.endpoint);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const all: Record<string, string> = {
      'x-ms-version': VERSION,
      'x-ms-date': new Date().toUTCString(),
      'x-ms-client-request-id': randomUUID(),
      ...headers,
    };
    if (method === 'PUT') all['Content-Length'] = String(bytes);
    if (login.type === 'sas') url.search = [url.search.slice(1), login.token].filter(Boolean).join('&');
    else if (login.type === 'token')
      all['Authorization'] = `Bearer ${await this.#tokens.get(way.cloud, STORAGE_RESOURCE)}`;
    else if (way.key !== null)
      all['Authorization'] = sharedKey(account, way.key, {
        method,
        url,
        headers: all,
        bytes,
      });
    const given = body === undefined ? {} : { body };
    return this.#plain.send({ method, url, headers: all, signal: cuts ? signal : null, ...given });
  }

  #find(): Promise<Way> {
    this.#way ??= this.#findWay().catch((fault: unknown) => {
      this.#way = null;
      throw fault;
    });
    return this.#way;
  }

  async #findWay(): Promise<Way> {
    const { login } = this.#config;
    const cloud = await findCloud(this.#config, this.#plain);
    const manager = new Manager(this.#config, cloud, this.#plain, this.#tokens);
    const endpoint = this.#endpoint ?? (await findEndpoint(this.#config, cloud, manager));
    const key = login.type === 'key' ? login.key : login.type === 'listed-key' ? await manager.key() : null;
    return { endpoint, cloud, key };
  }
}

/** The server's refusal in words that say what to do. */
export function refusal(reply: AzureReply, what: string, { container, login }: AzurermConfig): BackendFault {
  const { status, code } = reply;
  const message = messageOf(reply);
  const said = [code, message].filter((part) => part !== '').join(': ');
  const text = `Azure did not ${what}: HTTP ${status}${said === '' ? '' : `, ${said}`}`;
  if (status === 401 || status === 403) {
    const next = {
      key: 'Check access_key (ARM_ACCESS_KEY): it may have been rotated, or keys may be switched off for the account.',
      sas: 'Check sas_token (ARM_SAS_TOKEN): it may have ended. It needs read, write, delete, create and list.',
      token: 'The identity needs the role "Storage Blob Data Contributor" on the container.',
      'listed-key': 'Keys may be switched off for the account: set use_azuread_auth = true.',
    }[login.type];
    return new BackendFault('denied', text, next);
  }
  if (code === 'ContainerNotFound' || code === 'ContainerBeingDeleted') {
    const next = 'Create the container, or correct its name.';
    return new BackendFault('missing', `there is no container "${container}"`, next);
  }
  if (code === 'LeaseIdMissing')
    return new BackendFault(
      'refused',
      `${text}`,
      'The state is locked, and Azure lets only the holder write.',
    );
  if (status === 409 || status === 412 || status === 413) return new BackendFault('refused', text);
  return new BackendFault(passes(status) ? 'unreachable' : 'other', text);
}

function codeOf({ headers, body }: Reply): string {
  const code = headers['x-ms-error-code'];
  if (typeof code === 'string') return code.slice(0, 100);
  const xml = body.length === 0 ? null : readXml(withoutMark(body));
  return xml?.name === 'Error' ? (xmlText(xml, 'Code') ?? '').slice(0, 100) : '';
}

/** The first line: what follows are the request's ID and its time. */
function messageOf({ body }: Reply): string {
  const xml = body.length === 0 ? null : readXml(withoutMark(body));
  const [line = ''] = (xml === null ? '' : (xmlText(xml, 'Message') ?? '')).split('\n');
  return line.slice(0, MESSAGE_LENGTH_MAX);
}

/** Azure's XML begins with the mark of UTF-8. */
export function withoutMark(body: Uint8Array): Uint8Array {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}

/** Azure, "Retry guidance"; a lease of another is no such thing. */
function passes(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}

/** A part of a path; the slashes of a blob's name stay. */
function encodePath(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/');
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value;
}
