import type { Address } from '../core/address.ts';
import type { StateQuery, StateSummary } from '../ports/engine.ts';

/** Names that are looked through at a time: some milliseconds of a database's work. */
const ADDRESSES_AT_A_TIME = 10_000;

/** A query for a part of what there is: up to this address, which is in it. */
export type Stretch = StateQuery & { readonly upTo?: Address };

/** What a search takes of an engine. */
export interface Searching {
  states(query: Stretch): readonly StateSummary[] | Promise<readonly StateSummary[]>;
  /** The address that so many others come before, of those that the query looks among; null where there are fewer. */
  boundary(query: Stretch, addresses: number): Address | null | Promise<Address | null>;
  /** Lets others do something in between, where they do not anyway. */
  pause?(): Promise<void>;
}

/**
 * Looks through all names for a text, stretch by stretch, each of which sees a moment of its own: a state that is there all the
 * time is found once, and nobody waits for longer than a stretch takes.
 */
export async function searched(engine: Searching, query: StateQuery): Promise<readonly StateSummary[]> {
  const found: StateSummary[] = [];
  for (let { after } = query; ;) {
    const left = { ...query, limit: query.limit - found.length, ...(after === undefined ? {} : { after }) };
    const upTo = await engine.boundary(left, ADDRESSES_AT_A_TIME);
    found.push(...(await engine.states(upTo === null ? left : { ...left, upTo })));
    if (upTo === null || found.length >= query.limit) return found;
    after = upTo;
    await engine.pause?.();
  }
}

/** Whether a query looks through all names. What is locked is few, and object names have an order of their own. */
export function looksThroughAll({ search, locked, named }: StateQuery): boolean {
  return search !== undefined && locked !== true && named === undefined;
}
