import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** One message of PostgreSQL's protocol on its way (postgresql.org/docs/current/protocol-message-formats.html). */
export interface WireMessage {
  readonly direction: 'to-server' | 'to-client';
  /** Its type: "P" and "Q" carry a statement, "C" says that one is complete. Empty for the first of a connection. */
  readonly type: string;
  /** What it says, as far as it is text. */
  readonly text: string;
}

/**
 * What becomes of a message.
 * - `pass`: it goes on.
 * - `drop`: it is lost, and the connection goes on.
 * - `cut`: the connection ends just before it.
 * - `last`: it goes on, and then the connection ends: the other side acts on it, and nobody hears what came of it.
 */
export type Verdict = 'pass' | 'drop' | 'cut' | 'last';

/** Stands between a client and a PostgreSQL, and breaks connections at the borders of messages, wherever it is told to. */
export class PostgresProxy implements AsyncDisposable {
  readonly port: number;
  /** Where connections go; may be changed at any time, as a failover does. */
  target: number;
  /** Decides about every message. */
  judge: (message: WireMessage) => Verdict = () => 'pass';
  /** Turns new connections away. */
  refuses = false;
  readonly #server: Server;
  /** Both sockets of a connection, by what ends it. */
  readonly #pairs = new Map<() => void, { readonly client: Socket; readonly server: Socket }>();
  #isFrozen = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.target = target;
    server.on('connection', (client) => this.#join(client));
  }

  static async start(target: number): Promise<PostgresProxy> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PostgresProxy(server, target);
  }

  /** Nothing goes on, in either direction, as if its client's process were stopped. */
  freeze(): void {
    this.#isFrozen = true;
    for (const { client, server } of this.#pairs.values())
      for (const socket of [client, server]) socket.pause();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const { client, server } of this.#pairs.values())
      for (const socket of [client, server]) socket.resume();
  }

  /** Breaks all connections now. */
  sever(): void {
    for (const end of this.#pairs.keys()) end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sever();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    if (this.refuses) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port: this.target, noDelay: true });
    const end = (): void => {
      this.#pairs.delete(end);
      client.destroy();
      server.destroy();
    };
    this.#pairs.set(end, { client, server });
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    this.#forward(client, server, new MessageCutter('to-server'), end);
    this.#forward(server, client, new MessageCutter('to-client'), end);
    if (this.#isFrozen) for (const socket of [client, server]) socket.pause();
  }

  #forward(from: Socket, to: Socket, cutter: MessageCutter, end: () => void): void {
    from.on('data', (chunk: Buffer) => {
      const pass: Buffer[] = [];
      for (const { bytes, message } of cutter.push(chunk)) {
        const verdict = this.judge(message);
        if (verdict === 'pass' || verdict === 'last') pass.push(bytes);
        if (verdict === 'pass' || verdict === 'drop') continue;
        // What was let through must arrive before the end does.
        from.removeAllListeners('data');
        from.pause();
        to.end(Buffer.concat(pass), () => setImmediate(end));
        return;
      }
      if (pass.length > 0) to.write(Buffer.concat(pass));
    });
  }
}

/** Cuts a stream of bytes into messages. The first of a client has no type; a server begins with typed ones. */
class MessageCutter {
  readonly #direction: WireMessage['direction'];
  #typed: boolean;
  #rest: Buffer = Buffer.alloc(0);

  constructor(direction: WireMessage['direction']) {
    this.#direction = direction;
    this.#typed = direction === 'to-client';
  }

  *push(chunk: Buffer): Generator<{ bytes: Buffer; message: WireMessage }> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = this.#typed ? 1 : 0;
      if (this.#rest.length < head + 4) return;
      const length = head + this.#rest.readInt32BE(head);
      if (this.#rest.length < length) return;
      const bytes = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      const type = this.#typed ? String.fromCharCode(bytes[0] as number) : '';
      this.#typed = true;
      const text = bytes.subarray(head + 4, head + 4 + 200).toString('latin1');
      yield { bytes, message: { direction: this.#direction, type, text } };
    }
  }
}
