import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { BackendFault } from '../ports/state-client.ts';
import { isUntrustedCertificate } from './certificate-fault.ts';

/** An answer that has come whole. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What is sent: bytes, or pieces of them one after the other. */
export type Sent = Uint8Array | readonly Uint8Array[];

/** How many bytes are sent. */
export function lengthOf(body: Sent): number {
  return piecesOf(body).reduce((sum, { length }) => sum + length, 0);
}

function piecesOf(body: Sent): readonly Uint8Array[] {
  return body instanceof Uint8Array ? [body] : body;
}

/** One request over HTTP, as a client of a backend sends it. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Sent | undefined;
  readonly signal: AbortSignal | null;
  /** Sends it over a connection that no other request had or will have. */
  readonly alone?: boolean;
  /** What node:https takes of certificates. */
  readonly tls: Readonly<Record<string, unknown>>;
  /** What to do when the server's certificate is not trusted. */
  readonly trust: string;
}

/** A larger answer is not a state. */
const REPLY_BYTES_MAX = 1024 * 1024 * 1024;
const CONNECT_MS_MAX = 30_000;

/**
 * Sends a request once, and reads the answer to its end.
 * @throws BackendFault when there is no answer
 */
export function exchange(asked: Exchange): Promise<Reply> {
  const { method, url, headers, body, signal, alone = false, tls, trust } = asked;
  const secure = url.protocol === 'https:';
  const request = (secure ? requestSecure : requestPlain)(url, {
    method,
    headers,
    ...(signal === null ? {} : { signal }),
    ...(alone ? { agent: false } : {}),
    ...(secure ? tls : {}),
  });
  return new Promise<Reply>((resolve, reject) => {
    const fail = (fault: Error): void => reject(explain(fault, url, trust));
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
    for (const piece of piecesOf(body ?? [])) request.write(piece);
    request.end();
  });
}

function explain(fault: Error, url: URL, trust: string): BackendFault {
  const code = 'code' in fault ? String(fault.code) : '';
  if (isUntrustedCertificate(code)) {
    const message = `the certificate of ${url.host} is not trusted: ${code}`;
    return new BackendFault('configuration', message, trust, fault);
  }
  const why = fault.message === '' ? code : fault.message;
  const next = 'Check the address, and whether the server runs.';
  return new BackendFault('unreachable', `no answer from ${url.host}: ${why}`, next, fault);
}
