import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { DoorReply, DoorRequest } from '../protocols/door.ts';
import { certificateNames } from './client-certificate.ts';
import { guardBody } from './body-guard.ts';
import { originOf, type Reach } from './origin.ts';
import { withSafeHeaders } from './safe-headers.ts';
import type { Traffic } from './traffic.ts';

/** How long a client that is still sending may go on, once it has been answered, before its connection is cut. */
const LINGER_MS = 1_000;
/** A body of which no more is left is read to its end for the sake of the connection, although nobody wants it. */
const DRAINED_BYTES_MAX = 64 * 1024;
/** How long the rest of a body is waited for whose length nobody knows: a client that is cut off while it sends does not read the answer. */
const REST_MS_MAX = 200;

/** @param id names the request. @returns what doors see of it */
export function toDoorRequest(
  id: string,
  request: IncomingMessage,
  response: ServerResponse,
  { traffic, reach }: { readonly traffic: Traffic; readonly reach: Reach },
): DoorRequest {
  const peer = traffic.peerOf(request);
  const target = originForm(request.url ?? '/');
  const mark = target.indexOf('?');
  const length = request.headers['content-length'];
  const contentLength = length === undefined ? null : Number(length);
  const isSecure = traffic.isSecure(request);
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  let gone: AbortController | null = null;
  return {
    id,
    method: request.method ?? 'GET',
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    rawHeaders: request.rawHeaders,
    header,
    body: readBody(request, response, contentLength),
    contentLength,
    peer,
    peerPort: request.socket.remotePort ?? 0,
    remoteAddress: request.socket.remoteAddress ?? '',
    secure: 'encrypted' in request.socket,
    clientSecure: isSecure,
    get origin() {
      return originOf(header, isSecure, reach);
    },
    get certificateNames() {
      return certificateNames(request.socket);
    },
    keep: traffic.roomFor(peer, response),
    admit: (subject) => traffic.admitSubject(subject),
    get gone() {
      if (gone === null) {
        const controller = new AbortController();
        gone = controller;
        const abort = (): void => {
          if (!response.writableFinished) controller.abort();
        };
        if (response.destroyed) abort();
        else response.once('close', abort);
      }
      return gone.signal;
    },
  };
}

/** Clients that take the server for a proxy send the whole URL, which every server must accept (RFC 9112, section 3.2.2). */
function originForm(target: string): string {
  const [url] = /^https?:\/\/[^/?]*/i.exec(target) ?? [];
  if (url === undefined) return target;
  const rest = target.slice(url.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Sends a reply.
 * @returns whether it was handed to the connection whole; if not, the door has been told
 */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: DoorReply,
): Promise<boolean> {
  const { undelivered, live } = reply;
  const settled = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished));
  });
  let delivered = false;
  try {
    if (response.destroyed) return false;
    if (live !== undefined) onAbort(live, () => response.destroy());
    if (!request.complete && request.headers['transfer-encoding'] !== undefined) await readRest(request);
    await write(request, response, reply);
    delivered = await settled;
    return delivered;
  } finally {
    if (!delivered) undelivered?.();
  }
}

async function write(request: IncomingMessage, response: ServerResponse, reply: DoorReply): Promise<void> {
  const { status, body } = reply;
  if (!request.complete) {
    // Whoever goes on sending what nobody reads is given time to read the answer, and then cut off.
    response.once('finish', () => {
      setTimeout(() => request.complete || request.destroy(), LINGER_MS).unref();
      request.resume();
    });
  }
  response.writeHead(status, {
    ...lengthOf(request, reply),
    ...withSafeHeaders(request, reply),
    ...(leavesMuch(request) ? { connection: 'close' } : {}),
  });
  if (body === null || body instanceof Uint8Array) response.end(body ?? undefined);
  else if (request.method === 'HEAD') response.end();
  else await pour(body, response);
}

/** The body as it comes. A sender that waits to be told to send is told when somebody wants to read. */
function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  announced: number | null,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
      return guardBody(request, announced);
    },
  };
}

/** Reads what is left of a body, if that is little and comes soon. */
function readRest(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let size = 0;
    const done = (): void => {
      clearTimeout(late);
      request.off('data', count).off('end', done).off('close', done);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > DRAINED_BYTES_MAX) done();
    };
    const late = setTimeout(done, REST_MS_MAX);
    request.on('data', count).once('end', done).once('close', done).resume();
  });
}

/** Whether more of the body is still to come than is worth reading. */
function leavesMuch({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  const { 'content-length': length = '0', 'transfer-encoding': encoding, expect } = headers;
  return encoding !== undefined || expect !== undefined || Number(length) > DRAINED_BYTES_MAX;
}

/** The length, where it is known and may be said: not for what has no body, nor for what HEAD leaves out. */
function lengthOf({ method }: IncomingMessage, { status, headers, body }: DoorReply): Record<string, string> {
  if ('content-length' in headers) return {};
  if (body instanceof Uint8Array) return { 'content-length': String(body.length) };
  const saysNone = body === null && method !== 'HEAD' && status !== 204 && status !== 304;
  return saysNone ? { 'content-length': '0' } : {};
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
}

/** A stream that fails in the middle breaks the connection, so that nobody takes a part for the whole. */
async function pour(body: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  const source = Readable.from(body, { objectMode: false });
  await new Promise<void>((resolve, reject) => {
    response.once('close', () => {
      source.destroy();
      resolve();
    });
    source.once('error', (fault) => {
      response.destroy();
      reject(fault);
    });
    source.pipe(response);
  });
}
