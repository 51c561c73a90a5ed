import type { IncomingMessage } from 'node:http';

/** A sender that is silent for so long has gone. */
const SILENCE_MS = 30_000;
/** After this long, a body must have come faster than {@link RATE_MIN} on the whole. */
const PATIENCE_MS = 60_000;
/** Bytes a second, below what any working line carries. */
const RATE_MIN = 1_024;

const SLOW = 'the body came too slowly';
/** What may change what there is to read. */
const EVENTS = ['readable', 'end', 'close', 'error'] as const;

/** The sender was too slow, or broke off. */
export class BodyBroken extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BodyBroken';
  }
}

/**
 * A request's body as it comes, given up when it comes too slowly. A body cut short is an error, never an end.
 * The request itself stays open, so that its sender can still be told why.
 */
export async function* guardBody(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const began = Date.now();
  let bytes = 0;
  let arrivals: Arrivals | null = null;
  try {
    for (;;) {
      const chunk = request.read() as Uint8Array | null;
      if (chunk !== null) {
        bytes += chunk.length;
        const took = Date.now() - began;
        if (took > PATIENCE_MS && bytes < (took / 1_000) * RATE_MIN) throw new BodyBroken(SLOW);
        yield chunk;
        continue;
      }
      // Small bodies are there whole when they are asked for: nothing need be waited for.
      if (request.complete && request.readableLength === 0) return;
      arrivals ??= new Arrivals(request);
      await arrivals.next();
    }
  } finally {
    arrivals?.stop();
  }
}

/** Tells when there may be more to read. */
class Arrivals {
  readonly #request: IncomingMessage;
  #arrived = false;
  #wake: () => void = () => undefined;
  readonly #note = (): void => {
    this.#arrived = true;
    this.#wake();
  };

  constructor(request: IncomingMessage) {
    this.#request = request;
    for (const event of EVENTS) request.on(event, this.#note);
  }

  /** @throws {BodyBroken} when nothing comes for too long, or nothing will come any more */
  async next(): Promise<void> {
    const { destroyed, readableEnded, complete } = this.#request;
    if (!complete && (destroyed || readableEnded)) throw new BodyBroken('the body broke off');
    if (!this.#arrived) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new BodyBroken(SLOW)), SILENCE_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#arrived = false;
  }

  stop(): void {
    for (const event of EVENTS) this.#request.off(event, this.#note);
  }
}
