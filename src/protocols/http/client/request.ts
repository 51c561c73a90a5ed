import { isUntrustedCertificate } from '../../certificate-fault.ts';
import { createHash } from 'node:crypto';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackendFault } from '../../../ports/state-client.ts';
import type { HttpConfig } from './config.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface ClientRequest {
  readonly method: string;
  readonly url: URL;
  readonly body?: Uint8Array;
  /** Ends the request, and the wait before it is sent again. */
  readonly signal?: AbortSignal | null;
}

/** A larger answer is not a state. */
const REPLY_BYTES_MAX = 1024 * 1024 * 1024;
const CONNECT_MS_MAX = 30_000;

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
  const secure = url.protocol === 'https:';
  const request = (secure ? requestSecure : requestPlain)(url, {
    method,
    headers: headersOf(config, body),
    ...(signal === null ? {} : { signal }),
    ...(secure ? tlsOf(config) : {}),
  });
  return new Promise<Reply>((resolve, reject) => {
    const fail = (fault: Error): void => reject(explain(fault, url));
    request.on('error', fail);
    request.on('socket', (socket) => {
      if (!socket.connecting) return;
      const patience = setTimeout(
        () => request.destroy(new Error('no connection within 30 s')),
        CONNECT_MS_MAX,
      );
      socket.once('connect', () => clearTimeout(patience));
      request.once('close', () => clearTimeout(patience));
    });
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > REPLY_BYTES_MAX)
          response.destroy(new Error(`the answer has more than ${REPLY_BYTES_MAX} bytes`));
      });
      response.on('aborted', () => fail(new Error('the connection broke in the middle of the answer')));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    request.end(body);
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

function explain(fault: Error, url: URL): BackendFault {
  const code = 'code' in fault ? String(fault.code) : '';
  if (isUntrustedCertificate(code)) {
    const next = 'Give its CA in client_ca_certificate_pem (TF_HTTP_CLIENT_CA_CERTIFICATE_PEM).';
    return new BackendFault(
      'configuration',
      `the certificate of ${url.host} is not trusted: ${code}`,
      next,
      fault,
    );
  }
  const why = fault.message === '' ? code : fault.message;
  const next = 'Check the address, and whether the server runs.';
  return new BackendFault('unreachable', `no answer from ${url.host}: ${why}`, next, fault);
}
