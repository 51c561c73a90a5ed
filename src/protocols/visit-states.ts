import { setImmediate } from 'node:timers/promises';
import type { Address } from '../core/address.ts';
import type { Caller, Shut } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { StateQuery, StateSummary } from '../ports/engine.ts';

/** States that are read from the house before others have their turn. */
const STATES_AT_A_TIME = 200;

/**
 * Visits the states that a query asks for and the caller may see, in the order of their addresses.
 * @param take false to see no more
 * @returns why the caller may not see them; null otherwise
 */
export async function visitStates(
  { house, caller }: { readonly house: House; readonly caller: Caller },
  query: Omit<StateQuery, 'after' | 'limit'>,
  take: (summary: StateSummary) => boolean,
): Promise<Shut | null> {
  let after: Address | null = null;
  do {
    const asked = { ...query, limit: STATES_AT_A_TIME, ...(after === null ? {} : { after }) };
    const page: Awaited<ReturnType<typeof house.states.list>> = await house.states.list(caller, asked);
    if (page.type !== 'page') return page;
    for (const summary of page.states) if (!take(summary)) return null;
    await setImmediate();
    after = page.next;
  } while (after !== null);
  return null;
}
