import type { IncomingMessage } from 'node:http';

/** A sender that is silent for so long has gone. */
const SILENCE_MS = 30_000;
/** How far a sender may fall behind its pace; and however fast it was before, it gets no further ahead. */
const PATIENCE_MS = 60_000;
/** How long a body may take, unless it is too large for {@link RATE_ENOUGH}. */
const WHOLE_MS = 600_000;
/** What is held whole in memory is no larger: it has a deadline instead of a pace. */
const SMALL_BYTES = 64 * 1024;
/** How long a body may take in all that was announced as small. */
const SMALL_MS = 30_000;
/** Bytes a second, below what any working line carries. */
const RATE_MIN = 1_024;
/** Bytes a second that no body need be faster than: half of what a line of 1 Mbit/s carries. */
const RATE_ENOUGH = 65_536;

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
 * A request's body as it comes, given up when it comes too slowly for its size. A body cut short is an error, never an end.
 * The request itself stays open, so that its sender can still be told why.
 * @param announced bytes that are to come; null where nobody said
 */
export async function* guardBody(
  request: IncomingMessage,
  announced: number | null = null,
): AsyncGenerator<Uint8Array> {
  const pace = new Pace(announced);
  let arrivals: Arrivals | null = null;
  try {
    for (;;) {
      const chunk = request.read() as Uint8Array | null;
      if (chunk !== null) {
        pace.came(chunk.length);
        yield chunk;
        continue;
      }
      // Small bodies are there whole when they are asked for: nothing need be waited for.
      if (request.complete && request.readableLength === 0) return;
      arrivals ??= new Arrivals(request);
      const began = Date.now();
      await arrivals.next(Math.min(SILENCE_MS, pace.patience));
      // Only what the sender lets us wait is counted, not what we take ourselves.
      pace.waited(Date.now() - began);
    }
  } finally {
    arrivals?.stop();
  }
}

/** How long a sender is still waited for: the larger its body, the faster it must be. */
class Pace {
  readonly #announced: number;
  #bytes = 0;
  #patience: number;

  constructor(announced: number | null) {
    this.#announced = announced ?? 0;
    this.#patience = announced !== null && announced <= SMALL_BYTES ? SMALL_MS : PATIENCE_MS;
  }

  /** Milliseconds. */
  get patience(): number {
    return Math.max(0, this.#patience);
  }

  waited(milliseconds: number): void {
    this.#patience -= milliseconds;
  }

  came(bytes: number): void {
    this.#bytes += bytes;
    // A body of unknown size is as large as what has come of it.
    const size = Math.max(this.#announced, this.#bytes);
    // However it drips, it gets no more time.
    if (size <= SMALL_BYTES) return;
    const needed = (size / WHOLE_MS) * 1_000;
    const rate = Math.min(RATE_ENOUGH, Math.max(RATE_MIN, needed));
    this.#patience = Math.min(PATIENCE_MS, this.#patience + (bytes / rate) * 1_000);
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

  /** @throws {BodyBroken} when nothing comes for so many milliseconds, or nothing will come any more */
  async next(patience: number): Promise<void> {
    const { destroyed, readableEnded, complete } = this.#request;
    if (!complete && (destroyed || readableEnded)) throw new BodyBroken('the body broke off');
    if (!this.#arrived) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new BodyBroken(SLOW)), patience);
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
