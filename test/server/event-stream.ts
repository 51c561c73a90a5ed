import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { basic } from '../support/request.ts';
import { TEST_ADMIN, type Pair } from '../support/test-admin.ts';

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of the event stream that keeps what it was sent. */
export class EventStream implements Disposable {
  readonly #response: IncomingMessage;
  #text = '';
  #ended = false;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      this.#text += text;
    });
    response.on('error', () => undefined);
    response.once('close', () => {
      this.#ended = true;
    });
  }

  /** Resolves once the head of the answer has come. */
  static async open(
    url: string,
    query = '',
    { as = TEST_ADMIN, after }: { as?: Pair; after?: string } = {},
  ): Promise<EventStream> {
    const headers = { authorization: basic(as), ...(after === undefined ? {} : { 'last-event-id': after }) };
    const request = get(`${url}/api/v1/events${query}`, { headers, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return new EventStream(response);
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get text(): string {
    return this.#text;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get events(): readonly ReceivedEvent[] {
    return this.#text
      .split('\n\n')
      .slice(0, -1)
      .filter((block) => !block.startsWith(':'))
      .map((block) => {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        return {
          id: field('id'),
          event: field('event'),
          data: JSON.parse(field('data')) as ReceivedEvent['data'],
        };
      });
  }

  get names(): readonly string[] {
    return this.events.map(({ event }) => event);
  }

  /** Takes nothing from the connection any more, as a client does that hangs. */
  stopReading(): void {
    this.#response.pause();
    this.#response.removeAllListeners('data');
  }

  [Symbol.dispose](): void {
    this.#response.destroy();
  }
}
