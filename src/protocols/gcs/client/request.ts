import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { exchange, lengthOf, type Reply, type Sent } from '../../exchange.ts';
import type { GcsConfig } from './config.ts';
import { Tokens, tlsOf } from './tokens.ts';
import { TRUST_BY_FILE } from '../../trusted-certificates.ts';

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Sent;
  /** Ends the pauses. */
  readonly signal?: AbortSignal | null;
  /** Whether it ends a request that is under way, too: only a Statehouse takes back what nobody hears of. */
  readonly cuts?: boolean;
}

export interface GcsReply extends Reply {
  /** It was sent more than once: what was sent first may have done its work. */
  readonly resent: boolean;
}

/** The pauses are 7.5 s together. */
const ATTEMPTS_MAX = 5;
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 30_000;
/** What is shorter is no secret, but a word that an emulator is given. */
const SECRET_LENGTH_MIN = 12;
/** An answer that takes longer is none: no request carries more than a state. */
const ANSWER_MS_MAX = 300_000;

/** Sends requests with the token, and again what may pass. Everything that is sent through it may be sent twice. */
export class GcsRequests {
  readonly #config: GcsConfig;
  readonly #tokens: Tokens;
  readonly #tls: Readonly<Record<string, unknown>>;

  constructor(config: GcsConfig) {
    this.#config = config;
    this.#tokens = new Tokens(config);
    this.#tls = config.ca === null ? {} : tlsOf(config.ca.pem);
  }

  /** Sends it until there is an answer that will not be another one the next time. @throws BackendFault when nobody answers */
  async send(request: GcsRequest): Promise<GcsReply> {
    const invocation = randomUUID();
    let renewed = false;
    for (let attempt = 1; ; attempt += 1) {
      const reply = await this.once(request, { invocation, attempt }).catch((fault: unknown) => fault);
      request.signal?.throwIfAborted();
      const last = attempt === ATTEMPTS_MAX;
      if (isReply(reply)) {
        const mayRenew: boolean = reply.status === 401 && !renewed && this.#tokens.renew();
        renewed ||= mayRenew;
        if (last || !(mayRenew || passes(reply.status))) return { ...reply, resent: attempt > 1 };
        if (mayRenew) continue;
      } else if (last || !(reply instanceof BackendFault) || reply.kind !== 'unreachable') throw reply;
      await pause(attempt, isReply(reply) ? reply : null, request.signal ?? null);
    }
  }

  /** Sends it once. */
  async once(
    { method, url, headers = {}, body, signal = null, cuts = false }: GcsRequest,
    { invocation, attempt }: { readonly invocation: string; readonly attempt: number },
  ): Promise<Reply> {
    const token = await this.#tokens.get();
    const patience = AbortSignal.timeout(ANSWER_MS_MAX);
    const reply = await exchange({
      method,
      url,
      headers: {
        'User-Agent': `statehouse ${this.#config.userAgent}`.trim(),
        // As Google's own libraries say that they send a request again.
        'x-goog-api-client': `gccl-invocation-id/${invocation} gccl-attempt-count/${attempt}`,
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Length': String(lengthOf(body)) }),
        ...headers,
      },
      body,
      signal: signal === null || !cuts ? patience : AbortSignal.any([signal, patience]),
      tls: this.#tls,
      trust: TRUST_BY_FILE,
    });
    return token === null ? reply : withoutToken(reply, token);
  }

  /** A URL of the JSON API. */
  api(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(path, this.#config.endpoint);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }
}

/** Waits before the next attempt: longer each time, or as long as the server asked. */
export async function pause(attempt: number, reply: Reply | null, signal: AbortSignal | null): Promise<void> {
  const asked = Number(reply?.headers['retry-after']) * 1_000;
  const usual = PAUSE_MS * 2 ** (attempt - 1);
  const wait = Math.min(PAUSE_MS_MAX, Number.isFinite(asked) ? asked : usual);
  await sleep(wait, undefined, signal === null ? {} : { signal });
}

/** Cloud Storage, "Retry strategy". */
export function passes(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value;
}

/** Some servers repeat in an error what they were sent. */
function withoutToken(reply: Reply, token: string): Reply {
  if (reply.status < 400 || token.length < SECRET_LENGTH_MIN) return reply;
  return { ...reply, body: Buffer.from(Buffer.from(reply.body).toString().replaceAll(token, '(the token)')) };
}
