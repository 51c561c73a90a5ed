import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { exchange, type Reply } from '../../exchange.ts';
import { API_PREFIX } from '../layout.ts';
import type { ConsulConfig } from './config.ts';

export interface ConsulRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Below `/v1/`, with its segments escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | null;
  /** Sends it over a connection of its own. */
  readonly alone?: boolean;
  /** How long a blocking query may stay open, in milliseconds. */
  readonly waits?: number;
}

export interface ConsulReply extends Reply {
  /** It was sent more than once: what was sent first may have done its work. */
  readonly resent: boolean;
}

/** The pauses are 3.5 s together: an election of Consul's servers takes about as long. */
const ATTEMPTS_MAX = 4;
const PAUSE_MS = 500;
/** An answer that takes longer is none: no request carries more than a state. */
const ANSWER_MS_MAX = 120_000;
/** More of an error's words is not shown. */
const MESSAGE_LENGTH_MAX = 2_000;

/** Sends requests with the token, and again what may pass. Everything that is sent through it may be sent twice. */
export class ConsulRequests {
  readonly #config: ConsulConfig;

  constructor(config: ConsulConfig) {
    this.#config = config;
  }

  /** Sends it until there is an answer that will not be another one the next time. @throws BackendFault when nothing answers */
  async send(request: ConsulRequest): Promise<ConsulReply> {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.#once(request).catch((fault: unknown) => fault);
      request.signal?.throwIfAborted();
      const last = attempt === ATTEMPTS_MAX;
      if (isReply(reply)) {
        if (last || !passes(reply)) return { ...reply, resent: attempt > 1 };
      } else if (last || !(reply instanceof BackendFault) || reply.kind !== 'unreachable') throw reply;
      const stop = request.signal ?? undefined;
      await sleep(PAUSE_MS * 2 ** (attempt - 1), undefined, stop === undefined ? {} : { signal: stop });
    }
  }

  /** Asks the same server for what is no part of Consul's API, with the token as a bearer's. */
  async ask(path: string): Promise<Reply> {
    const { token, auth } = this.#config;
    const bearer: Record<string, string> =
      token === null ? basic(auth) : { Authorization: `Bearer ${token}` };
    return this.#exchange('GET', new URL(path, this.#config.endpoint), bearer, undefined, ANSWER_MS_MAX);
  }

  #once(asked: ConsulRequest): Promise<Reply> {
    const { method, path, query = {}, body, signal = null, alone = false, waits = 0 } = asked;
    const { endpoint, token, auth, query: always } = this.#config;
    const url = new URL(endpoint.pathname.slice(0, -1) + API_PREFIX + path, endpoint);
    for (const [name, value] of Object.entries({ ...always, ...query })) url.searchParams.set(name, value);
    const headers = { ...(token === null ? {} : { 'X-Consul-Token': token }), ...basic(auth) };
    return this.#exchange(method, url, headers, body, ANSWER_MS_MAX + waits, { signal, alone });
  }

  #exchange(
    method: string,
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | undefined,
    patience: number,
    { signal = null, alone = false }: { readonly signal?: AbortSignal | null; readonly alone?: boolean } = {},
  ): Promise<Reply> {
    const limit = AbortSignal.timeout(Math.ceil(patience));
    return exchange({
      method,
      url,
      headers: {
        'User-Agent': 'statehouse',
        ...(body === undefined ? {} : { 'Content-Length': String(body.length) }),
        ...headers,
      },
      body,
      signal: signal === null ? limit : AbortSignal.any([signal, limit]),
      alone,
      tls: this.#config.tls,
      trust: 'Give its CA as ca_file, or in CONSUL_CACERT.',
    });
  }
}

/** A key as a part of a path. */
export function keyPath(key: string): string {
  return `kv/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** The server's refusal in words that say what to do. */
export function refusal({ status, body }: Reply, what: string): BackendFault {
  const message = Buffer.from(body).toString().trim().slice(0, MESSAGE_LENGTH_MAX);
  const text = `Consul did not ${what}: HTTP ${status}${message === '' ? '' : `, ${message}`}`;
  if (status === 401 || status === 403) {
    const next =
      'Check the token (access_token, or CONSUL_HTTP_TOKEN). It needs key:write below the path, and session:write.';
    return new BackendFault('denied', text, next);
  }
  if (status === 409 || status === 413) return new BackendFault('refused', text);
  return new BackendFault(status >= 500 || status === 429 ? 'unreachable' : 'other', text);
}

/** Consul answers 500 while it has no leader, and for what it does not do. */
function passes({ status, body }: Reply): boolean {
  if (status === 429 || status === 502 || status === 503 || status === 504) return true;
  return status === 500 && /leader|rpc error|EOF|timeout/i.test(Buffer.from(body).toString());
}

function basic(auth: string | null): Record<string, string> {
  if (auth === null) return {};
  const pair = auth.includes(':') ? auth : `${auth}:`;
  return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value;
}
