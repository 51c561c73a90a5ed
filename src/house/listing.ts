import { setImmediate } from 'node:timers/promises';
import { objectName, type Address } from '../core/address.ts';
import type { Engine, StateQuery, StateSummary } from '../ports/engine.ts';
import type { Caller, Shut } from './caller.ts';
import type { Gate } from './gate.ts';

/** Looked at in one call of the engine once a page is not filled by what the caller may see of the first. */
const SEARCH_PAGE = 500;

/** A page of states, and where to go on; null at the end. */
export interface VisiblePage {
  readonly type: 'page';
  readonly states: readonly StateSummary[];
  readonly next: Address | null;
}

/** The states that a query asks for and the caller may see, in the order of their addresses. */
export async function listVisible(
  engine: Engine,
  gate: Gate,
  caller: Caller,
  query: StateQuery,
): Promise<VisiblePage | Shut> {
  const { identity } = caller;
  const shut = gate.known(identity);
  if (shut !== null) return shut;
  const states: StateSummary[] = [];
  let { after, limit } = query;
  for (;;) {
    const page = await engine.states({ ...query, limit, ...(after === undefined ? {} : goOn(query, after)) });
    for (const summary of page) {
      after = summary.address;
      if (gate.shows(identity, 'list', summary.address)) states.push(summary);
      if (states.length === query.limit) return { type: 'page', states, next: after };
    }
    if (page.length < limit) return { type: 'page', states, next: null };
    // Others have their turn: there may be many pages of which nothing may be seen.
    await setImmediate();
    limit = Math.max(limit, SEARCH_PAGE);
  }
}

function goOn({ named }: StateQuery, after: Address): Pick<StateQuery, 'named' | 'after'> {
  return named === undefined ? { after } : { named: { ...named, after: objectName(after) } };
}
