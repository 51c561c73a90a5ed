import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection whose every byte a test writes itself, for what no HTTP client would send. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  #heard = '';
  #closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#heard += text;
    });
    // A server that cuts us off may do so while we write.
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#closed = true;
    });
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** All that the server has sent so far. */
  get heard(): string {
    return this.#heard;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(text: string): void {
    this.#socket.write(text);
  }

  /** Says that nothing more will come, and goes on listening. */
  finish(): void {
    this.#socket.end();
  }

  /** Goes without a word, as a process that is killed does. */
  drop(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    if (!this.#closed) await once(this.#socket, 'close');
  }
}
