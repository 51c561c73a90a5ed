import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Input } from '../watch/specification.ts';

/** A request as its client sends it. */
export interface WireRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly peer: string;
  readonly port: number;
  /** What it asks, as whoever judges the history knows it; null for what is not judged. */
  readonly input: Input | null;
}

export interface WireReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a connection tells whoever simulates the network behind it. */
export interface Wire {
  /** The answer has been handed to the connection whole. */
  readonly answered: (reply: WireReply) => void;
  /** The connection was closed without an answer: by the server, or because its process ended. */
  readonly broken: (why: 'closed' | 'crashed') => void;
}

/** A server's end of a connection, as far as it is looked at to learn whether an answer has arrived. */
export class ServerSocket {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localPort = 443;
  readonly readableEnded = false;
  bytesRead = 0;
  destroyed = false;
  errored: Error | null = null;
  /** The client's system has told that the answer has arrived. */
  isAcknowledged = false;

  constructor({ peer, port }: WireRequest) {
    this.remoteAddress = peer;
    this.remotePort = port;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

/** The server's side of one request: what Node's http server gives to its handler, as far as the handler uses it. */
export class ServerSide {
  readonly request: WireRequest;
  readonly socket: ServerSocket;
  readonly #wire: Wire;
  readonly #response: SimulatedResponse;

  constructor(request: WireRequest, wire: Wire) {
    this.request = request;
    this.socket = new ServerSocket(request);
    this.#wire = wire;
    this.#response = new SimulatedResponse(wire);
  }

  serve(handler: RequestListener): void {
    handler(
      new SimulatedRequest(this.request, this.socket) as unknown as IncomingMessage,
      this.#response as unknown as ServerResponse,
    );
  }

  /** The server notices that the connection is dead. */
  hangUp(): void {
    this.socket.errored ??= new Error('ECONNRESET');
    this.socket.destroy();
    this.#response.close();
  }

  /** The server's process has ended. */
  crash(): void {
    this.#wire.broken('crashed');
  }
}

class SimulatedRequest extends Readable {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly complete = true;
  readonly socket: ServerSocket;

  constructor({ method, target, headers, body }: WireRequest, socket: ServerSocket) {
    super();
    this.method = method;
    this.url = target;
    const all = { ...headers, 'content-length': String(body.length) };
    this.headers = Object.fromEntries(
      Object.entries(all).map(([name, value]) => [name.toLowerCase(), value]),
    );
    this.rawHeaders = Object.entries(all).flat();
    this.socket = socket;
    if (body.length > 0) this.push(body);
    this.push(null);
  }

  override _read(): void {}
}

class SimulatedResponse extends EventEmitter {
  destroyed = false;
  writableFinished = false;
  readonly #wire: Wire;
  #head: Pick<WireReply, 'status' | 'headers'> = { status: 0, headers: {} };

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
  }

  writeHead(status: number, headers: Readonly<Record<string, string>>): void {
    this.#head = { status, headers };
  }

  end(body: Uint8Array = new Uint8Array()): void {
    if (this.destroyed) return;
    this.writableFinished = true;
    this.#wire.answered({ ...this.#head, body });
    this.emit('finish');
    this.close();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.close();
    this.#wire.broken('closed');
  }

  close(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}
