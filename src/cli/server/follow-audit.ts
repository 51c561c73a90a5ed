import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditFollowedShape, AuditShape } from '../../api/shapes/house.ts';
import type { QueryOf } from '../../api/operations.ts';
import { Failure } from '../failure.ts';
import type { Terminal } from '../terminal.ts';
import type { HouseClient } from './client.ts';

/** How often the server is asked where nothing was written, and where it does not answer. */
const ASK_MS = 1_000;
const AGAIN_MS_MAX = 10_000;
const PAGE = 500;
const TOO_MANY_REQUESTS = 429;

/**
 * Yields records of the audit log as they are written, oldest first, each once: first the newest of those that are there, then
 * all that come. A server that does not answer is asked again, and everything goes on where it was. Ends when it is stopped.
 * @param newest how many records are shown of those that are there
 * @throws {Failure} when the server cannot be asked the first time, or refuses
 */
export async function* followAudit(
  house: HouseClient,
  filter: Omit<QueryOf<'follow-audit'>, 'after' | 'limit'>,
  { newest, terminal, stopped }: { newest: number; terminal: Terminal; stopped: AbortSignal },
): AsyncGenerator<AuditShape> {
  // The place first, then what is before it: nothing falls in between.
  const begun = await house.ask('follow-audit', { query: { ...filter, limit: 1 } });
  const { items } = await house.list('list-audit', filter, newest);
  yield* items.filter(({ id }) => id <= begun.after).toReversed();
  let { after } = begun;
  let pause = ASK_MS;
  while (!stopped.aborted) {
    const answer = await askOnce(house, { ...filter, after, limit: PAGE }, stopped);
    if (answer === null) {
      if (pause === ASK_MS)
        terminal.note('The server does not answer. It is asked again, and nothing is left out.');
      pause = Math.min(2 * pause, AGAIN_MS_MAX);
    } else {
      pause = ASK_MS;
      if (answer.pruned)
        terminal.note('Records were forgotten before they could be shown: see --keep-audit-days.');
      yield* answer.records;
      after = answer.after;
      if (answer.records.length === PAGE) continue;
    }
    await sleep(pause, undefined, { signal: stopped }).catch(() => undefined);
  }
}

/** @returns null where the server does not answer, or is to be asked again */
async function askOnce(
  house: HouseClient,
  query: QueryOf<'follow-audit'>,
  stopped: AbortSignal,
): Promise<AuditFollowedShape | null> {
  try {
    return await house.ask('follow-audit', { query });
  } catch (fault) {
    if (stopped.aborted) return null;
    if (!(fault instanceof Failure)) throw fault;
    const status = 'status' in fault.details ? Number(fault.details['status']) : null;
    if (status !== null && status < 500 && status !== TOO_MANY_REQUESTS) throw fault;
    return null;
  }
}
