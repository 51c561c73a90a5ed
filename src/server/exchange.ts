import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { DoorReply, DoorRequest } from '../protocols/door.ts';
import { guardBody } from './body-guard.ts';

/** How long a client that is still sending may go on, once it has been answered, before its connection is cut. */
const LINGER_MS = 1_000;

/** What doors see of a request. */
export function toDoorRequest(request: IncomingMessage, response: ServerResponse): DoorRequest {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  const length = request.headers['content-length'];
  let gone: AbortController | null = null;
  return {
    method: request.method ?? 'GET',
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    rawHeaders: request.rawHeaders,
    header(name) {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: guardBody(request),
    contentLength: length === undefined ? null : Number(length),
    peer: request.socket.remoteAddress ?? '',
    secure: 'encrypted' in request.socket,
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

/**
 * Sends a reply.
 * @returns whether it was handed to the connection whole; if not, the door has been told
 */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: DoorReply,
): Promise<boolean> {
  const { status, headers, body, undelivered, live } = reply;
  const settled = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished));
  });
  if (response.destroyed) {
    undelivered?.();
    return false;
  }
  if (live !== undefined) onAbort(live, () => response.destroy());
  // Whoever is still sending what nobody will read is answered, and then cut off.
  const cutOff = !request.complete && !request.readableEnded;
  response.writeHead(status, {
    ...lengthOf(request, reply),
    ...headers,
    ...(cutOff ? { connection: 'close' } : {}),
  });
  if (body === null || body instanceof Uint8Array) response.end(body ?? undefined);
  else await pour(body, response);
  if (cutOff) {
    response.once('finish', () => setTimeout(() => request.destroy(), LINGER_MS).unref());
    request.resume();
  }
  const delivered = await settled;
  if (!delivered) undelivered?.();
  return delivered;
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
