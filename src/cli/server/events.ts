import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../failure.ts';
import type { QueryOf } from '../../api/operations.ts';
import type { HouseClient } from './client.ts';

/** How often a house that went away is asked again. */
const AGAIN_MS = 2_000;
const COLON = 0x3a;

/**
 * Yields once at the beginning and again whenever the house says that something changed. When the connection breaks it
 * comes back and yields, because something may have changed meanwhile. Ends when it is stopped.
 * @throws {Failure} when the house cannot be asked the first time, or refuses
 */
export async function* watchEvents(
  house: HouseClient,
  query: QueryOf<'events'>,
  { gatherMs, stopped }: { gatherMs: number; stopped: AbortSignal },
): AsyncGenerator<void> {
  let answered = false;
  while (!stopped.aborted) {
    try {
      const stream = await house.stream('events', { query });
      answered = true;
      for await (const chunk of stream.body()) {
        // A comment only says that the stream is alive; everything else is an event, the greeting too.
        if (chunk[0] === COLON) continue;
        await sleep(gatherMs, undefined, { signal: stopped });
        yield;
      }
    } catch (fault) {
      if (stopped.aborted) return;
      const refused = fault instanceof Failure && 'status' in fault.details;
      if (!answered || refused) throw fault;
    }
    await sleep(AGAIN_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
}
