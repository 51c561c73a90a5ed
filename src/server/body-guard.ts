import type { IncomingMessage } from 'node:http';

/** A sender that is silent for so long has gone. */
const SILENCE_MS = 30_000;
/** After this long, a body must have come faster than {@link RATE_MIN} on the whole. */
const PATIENCE_MS = 60_000;
/** Bytes a second, below what any working line carries. */
const RATE_MIN = 1_024;

/** The sender was too slow, or broke off. */
export class BodyBroken extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BodyBroken';
  }
}

/** A request's body as it comes, ended by force when it comes too slowly. A body cut short is an error, never an end. */
export async function* guardBody(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const began = Date.now();
  let bytes = 0;
  let timer = setTimeout(giveUp, SILENCE_MS);
  function giveUp(): void {
    request.destroy(new BodyBroken('the body came too slowly'));
  }
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      clearTimeout(timer);
      bytes += chunk.length;
      const took = Date.now() - began;
      if (took > PATIENCE_MS && bytes < (took / 1_000) * RATE_MIN) giveUp();
      yield chunk;
      timer = setTimeout(giveUp, SILENCE_MS);
    }
    if (!request.complete) throw new BodyBroken('the body broke off');
  } finally {
    clearTimeout(timer);
  }
}
