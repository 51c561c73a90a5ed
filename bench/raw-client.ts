import { connect, type Socket } from 'node:net';

/**
 * One keep-alive connection that sends what it is given and reads answers that tell their length: as little as a client can
 * do, so that a bench measures the server.
 */
export class RawClient {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #size = 0;
  #need = -1;
  #status = 0;
  /** The answer to a HEAD tells a length and has no body. */
  #bodyless = false;
  #ends = false;
  #resolve: (status: number) => void = () => undefined;
  #reject: (fault: Error) => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (fault) => this.#reject(fault));
    socket.on('close', () => this.#reject(new Error('the server closed the connection')));
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** The server has said that it closes the connection: another must be opened for the next request. */
  get ends(): boolean {
    return this.#ends;
  }

  /** Sends one request; resolves with the status once its answer is there whole. */
  send(request: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#bodyless = request.toString('latin1', 0, 5) === 'HEAD ';
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#need === -1) {
      this.#received.push(chunk);
      const head = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.#status = Number(head.toString('latin1', 9, 12));
      const fields = head.toString('latin1', 0, end);
      this.#ends = /\r\nconnection: *close/i.test(fields);
      const length = /\r\ncontent-length: *(\d+)/i.exec(fields);
      this.#need = end + 4 + (this.#bodyless ? 0 : Number(length?.[1] ?? 0));
    }
    if (this.#size < this.#need) return;
    this.#received = [];
    this.#size = 0;
    this.#need = -1;
    this.#resolve(this.#status);
  }
}
