import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/**
 * A proxy for HTTPS that leads every name to one server on this machine: it stands for the lines of a name server, where a client wants
 * names that nobody knows here.
 */
export class ConnectProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    server.on('connect', (_request, client: Socket) => {
      const onward = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        pipeline(client, onward, () => onward.destroy());
        pipeline(onward, client, () => client.destroy());
      });
      onward.on('error', () => client.destroy());
      client.on('error', () => onward.destroy());
      this.#sockets.add(client);
      client.once('close', () => this.#sockets.delete(client));
    });
  }

  /** @param target where every connection is led to */
  static async open(target: string): Promise<ConnectProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ConnectProxy(server, Number(new URL(target).port));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
