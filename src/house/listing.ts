import { setImmediate } from 'node:timers/promises';
import { mayActOn } from '../core/access.ts';
import type { Address } from '../core/address.ts';
import type { Engine, StateQuery, StateSummary } from '../ports/engine.ts';
import type { Caller } from './caller.ts';

/** Looked at in one call of the engine once a page is not filled by what the caller may see of the first. */
const SEARCH_PAGE = 500;

/** A page of states, and where to go on; null at the end. */
export interface VisiblePage {
  readonly states: readonly StateSummary[];
  readonly next: Address | null;
}

/** The states that a query asks for and the caller may see, in the order of their addresses. */
export async function listVisible(engine: Engine, caller: Caller, query: StateQuery): Promise<VisiblePage> {
  const { grants } = caller.identity;
  const states: StateSummary[] = [];
  let { after, limit } = query;
  for (;;) {
    const page = await engine.states({ ...query, limit, ...(after === undefined ? {} : { after }) });
    for (const summary of page) {
      after = summary.address;
      if (mayActOn(grants, 'list', summary.address)) states.push(summary);
      if (states.length === query.limit) return { states, next: after };
    }
    if (page.length < limit) return { states, next: null };
    // Others have their turn: there may be many pages of which nothing may be seen.
    await setImmediate();
    limit = Math.max(limit, SEARCH_PAGE);
  }
}
