import { setImmediate } from 'node:timers/promises';
import type { Address } from '../core/address.ts';
import type { Caller, Shut } from '../house/caller.ts';
import type { House } from '../house/house.ts';
import type { VisiblePage } from '../house/listing.ts';
import type { StateQuery, StateSummary } from '../ports/engine.ts';

/** States that are read from the house before others have their turn: few behind what was passed over, and more each time. */
const STATES_AT_FIRST = 2;
const STATES_AT_A_TIME = 200;
const GROWTH = 10;
/** No key that begins with a text comes after the text and this. */
const BEHIND_ALL: string = '\u{10ffff}'.repeat(256);

/** What a state has at a door under a name, which is its key or begins with it. */
export interface Named {
  readonly name: string;
}

/** An entry of a listing: what has the name, or null for the part of names that a delimiter ends. */
export interface NamedEntry<T extends Named> {
  readonly name: string;
  readonly item: T | null;
}

export interface NamesAsked {
  readonly project: string;
  /** What names begin with, and what the keys of all such begin with. */
  readonly prefix: string;
  readonly keyPrefix: string;
  /** What follows the key in every name that is longer than its key. */
  readonly joint: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** Only entries after this one. */
  readonly after: string;
  /** Only names from this on, and before the other; empty for all. */
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

interface Asking {
  readonly house: { readonly states: Pick<House['states'], 'list'> };
  readonly caller: Caller;
}

/** A page of entries in the order of their names, and whether there are more. */
export interface NamesPage<T extends Named> {
  readonly type: 'names';
  readonly page: readonly NamedEntry<T>[];
  readonly more: boolean;
}

/**
 * The first entries of a listing, however many states the project has. The house tells states in the order of their keys, and
 * all names of a state begin with its key: so no name that is yet to come is before the key that was read last.
 * @param itemsOf what a state has here, none or some
 */
export async function pageOfNames<T extends Named>(
  asking: Asking,
  asked: NamesAsked,
  itemsOf: (summary: StateSummary) => readonly T[],
): Promise<NamesPage<T> | Shut> {
  const entries = new Entries<T>(asked);
  for (const key of keysBefore(asked)) {
    const shut = await visit(
      asking,
      { project: asked.project, keyPrefix: key, limit: STATES_AT_FIRST },
      (page) => {
        const own = page.states.filter(({ address }) => address.key === key);
        for (const summary of own) entries.take(itemsOf(summary));
        return own.length < page.states.length ? null : page.next;
      },
    );
    if (shut !== null) return shut;
  }
  const { project, keyPrefix, to = '' } = asked;
  const query: StateQuery = { project, keyPrefix, limit: STATES_AT_A_TIME, ...startOf(asked) };
  const shut = await visit(asking, query, ({ states, next }) => {
    let passed: string | null = null;
    for (const summary of states) passed = entries.take(itemsOf(summary));
    const last = states.at(-1)?.address.key;
    if (last === undefined || next === null) return next;
    if ((to !== '' && compare(last, to) >= 0) || entries.areCertain(last)) return null;
    return passed === null || !last.startsWith(passed) ? next : behind(next, passed);
  });
  return shut ?? { type: 'names', ...entries.page() };
}

/**
 * Visits states in the order of their addresses.
 * @param take gives the address to go on after: that of the page, or one that passes over others; null to see no more
 */
async function visit(
  { house, caller }: Asking,
  query: StateQuery,
  take: (page: VisiblePage) => Address | null,
): Promise<Shut | null> {
  let { after, limit } = query;
  for (;;) {
    const page: VisiblePage | Shut = await house.states.list(caller, {
      ...query,
      limit,
      ...(after === undefined ? {} : { after }),
    });
    if (page.type !== 'page') return page;
    const next = take(page);
    if (next === null) return null;
    const isJump = next !== page.next;
    limit = isJump ? STATES_AT_FIRST : Math.min(limit * GROWTH, STATES_AT_A_TIME);
    after = next;
    await setImmediate();
  }
}

/** The entries that were seen so far: as many of the first as a page may have, and one more. */
class Entries<T extends Named> {
  readonly #asked: NamesAsked;
  #seen = new Map<string, T | null>();

  constructor(asked: NamesAsked) {
    this.#asked = asked;
  }

  /** @returns the part that stands for the last of the items; null where none does */
  take(items: readonly T[]): string | null {
    const { prefix, delimiter, after, from = '', to = '' } = this.#asked;
    let passed: string | null = null;
    for (const item of items) {
      const { name } = item;
      if (!name.startsWith(prefix) || compare(name, from) < 0 || (to !== '' && compare(name, to) >= 0))
        continue;
      const end = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
      passed = end === -1 ? null : name.slice(0, end + delimiter.length);
      const entry = passed ?? name;
      if (compare(entry, after) > 0) this.#seen.set(entry, passed === null ? item : null);
    }
    if (this.#seen.size > 2 * (this.#asked.limit + 1)) this.#seen = new Map(this.#first());
    return passed;
  }

  /** Whether a page is full of entries that nothing comes between, once so far has been read. */
  areCertain(key: string): boolean {
    const { limit } = this.#asked;
    if (this.#seen.size <= limit) return false;
    const last = this.#first()[limit];
    return last !== undefined && compare(last[0], key) < 0;
  }

  page(): { readonly page: readonly NamedEntry<T>[]; readonly more: boolean } {
    const first = this.#first();
    const { limit } = this.#asked;
    const page = first.slice(0, limit).map(([name, item]) => ({ name, item }));
    return { page, more: first.length > limit };
  }

  #first(): readonly (readonly [string, T | null])[] {
    return [...this.#seen].sort(([a], [b]) => compare(a, b)).slice(0, this.#asked.limit + 1);
  }
}

/** The keys before the start of a page that may have a name in it: those that the start begins with. */
function keysBefore(asked: NamesAsked): readonly string[] {
  const { after, from = '', joint, keyPrefix } = asked;
  const start = compare(startName(asked), from) > 0 ? after : from;
  const mayFollow = (rest: string): boolean =>
    joint.startsWith(rest.slice(0, joint.length)) || compare(joint, rest) > 0;
  return Array.from({ length: start.length }, (_, end) => start.slice(0, end)).filter(
    (key) => key !== '' && key.startsWith(keyPrefix) && mayFollow(start.slice(key.length)),
  );
}

/** The house goes on behind an address: no workspace has an empty name, so this one has the key itself yet to come. */
function startOf(asked: NamesAsked): Pick<StateQuery, 'after'> {
  const start = startName(asked);
  return start === '' ? {} : { after: { project: asked.project, key: start, workspace: '' } };
}

/** No name before this is in the page. */
function startName({ prefix, delimiter, after, from = '' }: NamesAsked): string {
  const isPart = delimiter !== '' && after.includes(delimiter, prefix.length);
  const told = isPart ? after + BEHIND_ALL : after;
  return compare(told, from) > 0 ? told : from;
}

function behind({ project }: Address, part: string): Address {
  return { project, key: part + BEHIND_ALL, workspace: '' };
}

/** Byte by byte, as the house orders keys: letters beyond the first 65,536 stand behind all others. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return HALVES.test(a) || HALVES.test(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}
const HALVES = /[\ud800-\udfff]/;
