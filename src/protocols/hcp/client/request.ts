import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { exchange, type Reply } from '../../exchange.ts';
import { TRUST_BY_FILE } from '../../trusted-certificates.ts';
import { fieldOf, listOf, parseJson, textOf } from '../../wire/json-value.ts';
import { API_SERVICES, DISCOVERY_PATH, JSON_API_TYPE } from '../layout.ts';
import type { HcpConfig } from './config.ts';

export interface HcpRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** Below the API, with its segments escaped; or an address that the service has named. */
  readonly path: string | URL;
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** A document of JSON:API. */
  readonly document?: string;
  readonly bytes?: Uint8Array;
  readonly signal?: AbortSignal | null;
  /** Whether the token goes with it; true by default. */
  readonly withToken?: boolean;
  /** The program that a run is to be executed with: the service knows it by the name of its client. */
  readonly program?: 'terraform' | 'tofu';
}

export interface HcpReply extends Reply {
  /** It was sent more than once: what was sent first may have done its work. */
  readonly resent: boolean;
}

/** The pauses are 7.5 s together. */
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 500;
/** What a service may ask to wait when it has had too many requests. */
const LIMIT_PAUSE_MS_MAX = 30_000;
/** An answer that takes longer is none: a lock request is held open for ten minutes at most. */
const ANSWER_MS_MAX = 660_000;
const REDIRECTS_MAX = 5;
const REDIRECTED: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** More of an error's words is not shown. */
const MESSAGE_LENGTH_MAX = 1_000;

/** Sends requests with the token, and again what may pass. Everything that is sent through it may be sent twice. */
export class HcpRequests {
  readonly #config: HcpConfig;
  #api: Promise<URL> | null = null;

  constructor(config: HcpConfig) {
    this.#config = config;
  }

  /** Where the API is; it ends with a slash. @throws BackendFault where the host has none */
  api(): Promise<URL> {
    this.#api ??= this.#findApi().catch((fault: unknown) => {
      this.#api = null;
      throw fault;
    });
    return this.#api;
  }

  /** Sends it until there is an answer that will not be another one the next time. @throws BackendFault when nothing answers */
  async send(request: HcpRequest): Promise<HcpReply> {
    const api = await this.api();
    const url = typeof request.path === 'string' ? new URL(request.path, api) : request.path;
    for (const [name, value] of request.query ?? []) url.searchParams.append(name, value);
    const isOwn = url.origin === api.origin;
    // The service may keep states on a host of its own, and wants the token there; never in the clear.
    const withToken = (request.withToken ?? true) && (isOwn || url.protocol === 'https:');
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.#follow(url, { ...request, withToken }).catch((fault: unknown) => fault);
      request.signal?.throwIfAborted();
      const last = attempt === ATTEMPTS_MAX;
      if (isReply(reply)) {
        if (last || !passes(reply.status)) return { ...reply, resent: attempt > 1 };
      } else if (last || !(reply instanceof BackendFault) || reply.kind !== 'unreachable') throw reply;
      const pause = isReply(reply) ? limitPause(reply) : null;
      const stop = request.signal ?? undefined;
      const options = stop === undefined ? {} : { signal: stop };
      await sleep(pause ?? PAUSE_MS * 2 ** (attempt - 1), undefined, options);
    }
  }

  /** One page after another of a list. */
  async *list(
    path: string,
    query: readonly (readonly [string, string])[],
    what: string,
    size: number = PAGE_SIZE,
  ): AsyncGenerator<unknown> {
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const paging = [
        ['page[number]', String(page)],
        ['page[size]', String(size)],
      ] as const;
      const reply = await this.send({ method: 'GET', path, query: [...query, ...paging] });
      if (reply.status !== 200) throw refusal(reply, what);
      const document = parseJson(reply.body);
      yield* listOf(document, 'data');
      const pagination = fieldOf(fieldOf(document, 'meta'), 'pagination');
      if (fieldOf(pagination, 'next-page') === null) return;
    }
  }

  async #follow(from: URL, request: HcpRequest): Promise<Reply> {
    let [url, withToken] = [from, request.withToken ?? true];
    for (let redirects = 0; ; redirects += 1) {
      const reply = await this.#once(url, { ...request, withToken });
      const place = reply.headers['location'];
      if (request.method !== 'GET' || !REDIRECTED.has(reply.status) || typeof place !== 'string')
        return reply;
      if (redirects === REDIRECTS_MAX || !URL.canParse(place, url)) return reply;
      const next = new URL(place, url);
      if (url.protocol === 'https:' && next.protocol !== 'https:')
        throw new BackendFault('other', `${url.host} leads to an address that is not encrypted`);
      withToken &&= next.origin === url.origin;
      url = next;
    }
  }

  #once(
    url: URL,
    { method, document, bytes, signal = null, withToken, program }: HcpRequest,
  ): Promise<Reply> {
    const { token, ca, insecure } = this.#config;
    const body = document === undefined ? bytes : Buffer.from(document);
    const limit = AbortSignal.timeout(ANSWER_MS_MAX);
    return exchange({
      method,
      url,
      headers: {
        'User-Agent': program === 'tofu' ? 'OpenTofu/ statehouse' : 'statehouse',
        Accept: `${JSON_API_TYPE}, */*`,
        ...(document === undefined ? {} : { 'Content-Type': JSON_API_TYPE }),
        ...(bytes === undefined ? {} : { 'Content-Type': 'application/octet-stream' }),
        ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
        ...(token === null || withToken === false ? {} : { Authorization: `Bearer ${token}` }),
      },
      body,
      signal: signal === null ? limit : AbortSignal.any([signal, limit]),
      tls: { ...(ca === null ? {} : { ca: ca.pem }), ...(insecure ? { rejectUnauthorized: false } : {}) },
      trust: TRUST_BY_FILE,
    });
  }

  /** Asks the host where its API is, unless terraform's configuration says it ("Remote Service Discovery"). */
  async #findApi(): Promise<URL> {
    const { hostname, api } = this.#config;
    if (api !== null) return asFolder(new URL(api, `https://${hostname}`));
    const at = new URL(DISCOVERY_PATH, `https://${hostname}`);
    const reply = await this.#follow(at, { method: 'GET', path: at });
    const document = parseJson(reply.body);
    const place = API_SERVICES.map((name) => textOf(document, name)).find((text) => text !== null);
    if (reply.status === 200 && place !== undefined && place !== null && URL.canParse(place, at))
      return asFolder(new URL(place, at));
    throw new BackendFault(
      'configuration',
      `${hostname} has no API of HCP Terraform: ${DISCOVERY_PATH} was answered with HTTP ${reply.status}`,
      'Check the hostname. A server without https needs a host block in ~/.terraformrc.',
    );
  }
}

const PAGE_SIZE = 100;
const PAGES_MAX = 1_000;

/** The words of JSON:API's errors; empty where there are none. */
export function errorsIn({ body }: Reply): {
  readonly title: string;
  readonly detail: string;
  readonly code: string;
} {
  const [first] = listOf(parseJson(body), 'errors');
  const told = typeof first === 'string' ? { title: first } : first;
  const text = (name: string): string => (textOf(told, name) ?? '').slice(0, MESSAGE_LENGTH_MAX);
  return { title: text('title'), detail: text('detail'), code: text('code') };
}

/** The service's refusal in words that say what to do. */
export function refusal(reply: Reply, what: string): BackendFault {
  const { status } = reply;
  const { title, detail } = errorsIn(reply);
  const words = [title, detail].filter((text) => text !== '').join(': ');
  const text = `the server did not ${what}: HTTP ${status}${words === '' ? '' : `, ${words}`}`;
  if (status === 401 || status === 403) {
    const next =
      'Check the token: TF_TOKEN_ with the name of the host, "terraform login", or token in the block.';
    return new BackendFault('denied', text, next);
  }
  if ([409, 412, 413, 422, 423].includes(status)) return new BackendFault('refused', text);
  return new BackendFault(status >= 500 || status === 429 ? 'unreachable' : 'other', text);
}

function passes(status: number): boolean {
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504;
}

/** How long a service wants to be left alone, in milliseconds; null where it does not say. */
function limitPause({ status, headers }: Reply): number | null {
  const seconds = Number(headers['x-ratelimit-reset'] ?? Number.NaN);
  return status === 429 && seconds >= 0 ? Math.min(seconds * 1_000 + PAUSE_MS, LIMIT_PAUSE_MS_MAX) : null;
}

function asFolder(url: URL): URL {
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value;
}
