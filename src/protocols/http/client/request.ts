import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import { exchange, type Reply } from '../../exchange.ts';
import type { HttpConfig } from './config.ts';

export interface ClientRequest {
  readonly method: string;
  readonly url: URL;
  readonly body?: Uint8Array;
  /** Ends the request, and the wait before it is sent again. */
  readonly signal?: AbortSignal | null;
}

/** Sends a request, again after a lost connection and after what the server says will pass, as terraform does. */
export async function send(config: HttpConfig, request: ClientRequest): Promise<Reply> {
  const { signal = null } = request;
  for (let attempt = 0; ; attempt += 1) {
    const reply = await sendOnce(config, request).catch((fault: unknown) => fault);
    signal?.throwIfAborted();
    const last = attempt >= config.retryMax;
    if (isReply(reply)) {
      if (last || !passes(reply.status)) return reply;
    } else if (last || (reply instanceof BackendFault && reply.kind !== 'unreachable')) {
      throw reply;
    }
    const asked = isReply(reply) ? Number(reply.headers['retry-after']) * 1_000 : Number.NaN;
    const usual = Math.min(config.retryWaitMax, config.retryWaitMin * 2 ** attempt);
    const wait = Number.isFinite(asked) ? Math.min(asked, config.retryWaitMax) : usual;
    await sleep(wait, undefined, signal === null ? {} : { signal });
  }
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'status' in value;
}

/** go-retryablehttp's policy. */
function passes(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501);
}

function sendOnce(config: HttpConfig, { method, url, body, signal = null }: ClientRequest): Promise<Reply> {
  return exchange({
    method,
    url,
    headers: headersOf(config, body),
    body,
    signal,
    tls: tlsOf(config),
    trust: 'Give its CA in client_ca_certificate_pem (TF_HTTP_CLIENT_CA_CERTIFICATE_PEM).',
  });
}

function headersOf(config: HttpConfig, body: Uint8Array | undefined): Record<string, string> {
  const headers: Record<string, string> = { ...config.headers, 'User-Agent': 'statehouse' };
  if (config.username !== null) {
    headers['Authorization'] =
      `Basic ${Buffer.from(`${config.username}:${config.password}`).toString('base64')}`;
  }
  if (body === undefined) return headers;
  headers['Content-Type'] = 'application/json';
  headers['Content-Length'] = String(body.length);
  headers['Content-MD5'] = createHash('md5').update(body).digest('base64');
  return headers;
}

function tlsOf({ ca, certificate, key, skipVerification }: HttpConfig): Record<string, unknown> {
  return {
    rejectUnauthorized: !skipVerification,
    ...(ca === null ? {} : { ca }),
    ...(certificate === null ? {} : { cert: certificate }),
    ...(key === null ? {} : { key }),
  };
}
