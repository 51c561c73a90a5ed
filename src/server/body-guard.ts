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

/**
 * A request's body as it comes, given up when it comes too slowly. A body cut short is an error, never an end.
 * The request itself stays open, so that its sender can still be told why.
 */
export async function* guardBody(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  const began = Date.now();
  let bytes = 0;
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  let reading = true;
  try {
    for (;;) {
      const next = await orSilence(chunks.next());
      reading = next !== null && next.done !== true;
      if (next === null) throw new BodyBroken('the body came too slowly');
      if (next.done === true) break;
      bytes += next.value.length;
      const took = Date.now() - began;
      if (took > PATIENCE_MS && bytes < (took / 1_000) * RATE_MIN) {
        throw new BodyBroken('the body came too slowly');
      }
      yield next.value;
    }
    if (!request.complete) throw new BodyBroken('the body broke off');
  } catch (fault) {
    if (fault instanceof BodyBroken || request.complete) throw fault;
    throw new BodyBroken('the body broke off');
  } finally {
    if (reading) await chunks.return?.();
  }
}

/** null when nothing has come for too long. */
function orSilence<T>(next: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, SILENCE_MS, null);
    next.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
