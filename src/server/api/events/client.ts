/** Events that may wait for one client to read; a client that lets more gather is cut off. */
const WAITING_MAX = 1_000;

/** One client of the event stream: what it has not read yet, and how it is let go. */
export class EventClient {
  readonly #gone: (client: EventClient) => void;
  readonly #cut = new AbortController();
  #waiting: string[] = [];
  #wake: () => void = () => undefined;
  #ended = false;
  #lastPush = Date.now();

  /** @param gone called once, when this client hears no more */
  constructor(gone: (client: EventClient) => void) {
    this.#gone = gone;
  }

  /** Aborted when the connection is to be closed, read or not. */
  get cutOff(): AbortSignal {
    return this.#cut.signal;
  }

  /** How long ago something was last sent. */
  silentMs(): number {
    return Date.now() - this.#lastPush;
  }

  push(text: string): void {
    if (this.#ended) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.cut();
      return;
    }
    this.#waiting.push(text);
    this.#lastPush = Date.now();
    this.#wake();
  }

  /** Ends the stream once what waits has been read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gone(this);
    this.#wake();
  }

  /** Ends the stream at once. */
  cut(): void {
    this.#waiting = [];
    this.end();
    this.#cut.abort();
  }

  /** All that is sent, until the end. */
  async *read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#waiting.length > 0) {
        const text = this.#waiting.join('');
        this.#waiting = [];
        yield Buffer.from(text);
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
