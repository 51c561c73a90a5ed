import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What a receiver of webhooks was sent. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A program that webhooks are sent to. It answers with the status that it is given. */
export class WebhookReceiver implements AsyncDisposable {
  readonly got: Received[] = [];
  status = 200;
  /** Where it sends whoever asks, where its status is a redirect. */
  location = '';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const body = await text(request);
        this.got.push({ path: request.url ?? '', headers: request.headers, body });
        response
          .writeHead(this.status, this.location === '' ? {} : { location: this.location })
          .end('thanks');
      };
      void answer();
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    receiver.#server.listen(0, '127.0.0.1');
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
