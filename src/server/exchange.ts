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
  const { status, headers, body, undelivered } = reply;
  const settled = new Promise<boolean>((resolve) => {
    response.once('close', () => resolve(response.writableFinished));
  });
  if (response.destroyed) {
    undelivered?.();
    return false;
  }
  // Whoever is still sending what nobody will read is answered, and then cut off.
  const cutOff = !request.complete && !request.readableEnded;
  response.writeHead(status, {
    ...lengthOf(body, headers),
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

function lengthOf(body: DoorReply['body'], headers: DoorReply['headers']): Record<string, string> {
  if ('content-length' in headers) return {};
  if (body instanceof Uint8Array) return { 'content-length': String(body.length) };
  return body === null ? { 'content-length': '0' } : {};
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
