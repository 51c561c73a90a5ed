import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Connections above the limit that are kept for long enough to be told so. */
export const SHED_MAX = 64;
/** A connection above the limit is closed after so long, whatever it does. */
const SHED_MS = 3_000;
const RETRY_S = 2;
/** Whoever asks how the server is shall hear the truth, and not have it restarted because it is full. */
const HEALTH = new Set(['/healthz', '/readyz']);

/** Tells connections for which there is no room to come again later. */
export class Shed {
  readonly #handler: RequestListener;
  /** Their ends: over TLS a request has another socket than its connection. */
  readonly #open = new Set<string>();

  constructor(handler: RequestListener) {
    this.#handler = handler;
  }

  /** Has a connection's first request refused, and closes it; at once where there are too many of these, too. */
  take(socket: Socket): void {
    if (this.#open.size >= SHED_MAX) {
      socket.destroy();
      return;
    }
    const end = endOf(socket);
    this.#open.add(end);
    const timer = setTimeout(() => socket.destroy(), SHED_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#open.delete(end);
    });
  }

  /** Answers requests: those of connections without a place are refused, whatever they ask for. */
  readonly answer: RequestListener = (request, response) => {
    const { socket, url = '' } = request;
    if (!this.#open.has(endOf(socket))) {
      this.#handler(request, response);
      return;
    }
    response.shouldKeepAlive = false;
    if (HEALTH.has(url)) {
      this.#handler(request, response);
      return;
    }
    response.writeHead(503, {
      'retry-after': `${RETRY_S}`,
      'content-type': 'text/plain',
      connection: 'close',
    });
    response.end('too many connections are open: try again in a moment\n');
  };
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
