import { setImmediate } from 'node:timers/promises';
import { isAddress, parseAddress } from '../../core/address.ts';
import {
  RESOURCE_FIELDS,
  isFoundBy,
  type FoundResource,
  type ResourceField,
} from '../../core/snapshot/contents.ts';
import type { Instant, Milliseconds } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';
import { SealError, type Sealer } from '../../ports/sealer.ts';
import type { IndexMark } from '../../ports/state-index.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import type { Records } from '../records/records.ts';
import type { Indexer } from './indexer.ts';
import { INDEX_RECORD, IndexKey, type IndexState } from './index-key.ts';
import { openRow, type IndexedState } from './indexed-state.ts';

/** Resources of one state that are told; how many there are is told as well. */
const TOLD_MAX = 20;
/** Values of a resource that are told: those that were looked for first. */
const VALUES_TOLD_MAX = 8;
/** Rows that are looked at together. */
const PAGE = 100;
/** A page ends after so long, full or not, so that nobody waits and the others have their turn. */
const TIME: Milliseconds = 60;
const CURSOR_CONTEXT = 'index cursor';

/** What is looked for. All of it must be so; what is asked of resources must be so of one and the same. */
export interface Exploring extends Readonly<Partial<Record<ResourceField, string>>> {
  /** Any term of a resource. */
  readonly text?: string;
  /** The version of Terraform that wrote the newest version. */
  readonly terraformVersion?: string;
  /** Who wrote it. */
  readonly writer?: string;
  readonly project?: string;
  /** Only states that were written at this moment or later, or before it. */
  readonly since?: Instant;
  readonly before?: Instant;
  /** The `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

/** A state in which something was found. */
export interface FoundState extends IndexMark {
  readonly terraformVersion: string;
  readonly writer: string;
  /** Why nothing is known of its resources; null where it is. */
  readonly unread: IndexedState['unread'];
  /** How many resources fit. */
  readonly matches: number;
  readonly resources: readonly FoundResource[];
}

export type ExploreAnswer =
  | {
      readonly type: 'found';
      readonly states: readonly FoundState[];
      /** What to go on with, even where this page is not full; null at the end. */
      readonly next: string | null;
      /** False while the index is being made: what is not found may be there. */
      readonly complete: boolean;
    }
  | { readonly type: 'invalid'; readonly problem: string }
  | Shut;

/** Finds states by what is in them, in those that the caller may read. */
export class Explorer {
  readonly #engine: Engine;
  readonly #records: Records<IndexState>;
  readonly #sealer: Sealer;
  readonly #gate: Gate;
  readonly #indexer: Indexer | null;

  /** @param indexer what keeps the index on this node; null where nothing does */
  constructor(options: {
    engine: Engine;
    records: Records<IndexState>;
    sealer: Sealer;
    gate: Gate;
    indexer: Indexer | null;
  }) {
    this.#engine = options.engine;
    this.#records = options.records;
    this.#sealer = options.sealer;
    this.#gate = options.gate;
    this.#indexer = options.indexer;
  }

  async find(caller: Caller, asked: Exploring): Promise<ExploreAnswer> {
    const refusal = this.#gate.somewhere(caller, 'read');
    if (refusal !== null) return refusal;
    const stored = await this.#records.find(INDEX_RECORD);
    const key = stored === null ? null : IndexKey.open(this.#sealer, stored);
    if (stored === null || key === null) return { type: 'found', states: [], next: null, complete: false };
    const from = this.#readCursor(asked.cursor);
    if (from === null)
      return { type: 'invalid', problem: 'invalid cursor: expected the "next" of the page before' };
    const looked = await this.#look(caller, asked, wordsOf(key, asked), from);
    return { type: 'found', ...looked, complete: stored.builtTo === null };
  }

  /** Has the whole index made anew. For who manages the house. */
  async renew(caller: Caller): Promise<{ readonly type: 'renewing' } | Shut> {
    const refusal = this.#gate.inHouse(caller, 'manage');
    if (refusal !== null) return refusal;
    await this.#indexer?.renew();
    return { type: 'renewing' };
  }

  async #look(
    { identity }: Caller,
    asked: Exploring,
    words: readonly Uint8Array[],
    from: string,
  ): Promise<{ readonly states: readonly FoundState[]; readonly next: string | null }> {
    const { project, since, before, limit } = asked;
    const times = { ...(since === undefined ? {} : { since }), ...(before === undefined ? {} : { before }) };
    const prefixes = within(this.#gate.reach(identity, 'read'), project === undefined ? '' : `${project}/`);
    const states: FoundState[] = [];
    const began = performance.now();
    let after = from;
    for (const prefix of prefixes) {
      for (let isLast = false; !isLast;) {
        const isOver = states.length >= limit || (after !== from && performance.now() - began > TIME);
        if (isOver) return { states, next: this.#cursor(after) };
        const query = { words, prefix, limit: PAGE, ...times, ...(after === '' ? {} : { after }) };
        const { marks, lookedTo } = await this.#engine.indexed(query);
        const seen = marks.filter(({ name }) => this.#shows(identity, name));
        const { found, stoppedAt } = await this.#open(asked, seen, limit - states.length);
        states.push(...found);
        after = stoppedAt ?? lookedTo ?? marks.at(-1)?.name ?? after;
        isLast = stoppedAt === null && lookedTo === null;
        // Others have their turn.
        await setImmediate();
      }
    }
    return { states, next: null };
  }

  /** The states of some rows in which something fits, until there are so many. */
  async #open(
    asked: Exploring,
    marks: readonly IndexMark[],
    limit: number,
  ): Promise<{ readonly found: readonly FoundState[]; readonly stoppedAt: string | null }> {
    const found: FoundState[] = [];
    const began = performance.now();
    // Few at a time: most rows fit, and what is not told need not be read.
    for (let at = 0; at < marks.length; at += limit) {
      const some = marks.slice(at, at + limit);
      for (const row of await this.#engine.indexRows(some.map(({ name }) => name))) {
        const state = await openRow(this.#sealer, row);
        const one = state === null ? null : foundIn(asked, row, state);
        if (one !== null) found.push(one);
        if (found.length >= limit || performance.now() - began > TIME) return { found, stoppedAt: row.name };
      }
    }
    return { found, stoppedAt: null };
  }

  #shows(identity: Caller['identity'], name: string): boolean {
    const address = parseAddress(name);
    return isAddress(address) && this.#gate.shows(identity, 'read', address);
  }

  /** Where to go on. It may be a name that the caller may not know, and so is sealed. */
  #cursor(after: string): string {
    return Buffer.from(this.#sealer.seal(Buffer.from(after), CURSOR_CONTEXT)).toString('base64url');
  }

  #readCursor(cursor: string | undefined): string | null {
    if (cursor === undefined) return '';
    try {
      return Buffer.from(this.#sealer.open(Buffer.from(cursor, 'base64url'), CURSOR_CONTEXT)).toString();
    } catch (fault) {
      if (fault instanceof SealError) return null;
      throw fault;
    }
  }
}

/** The rarest come first: of what is asked of resources the longest, then who wrote it, then the version of Terraform. */
function wordsOf(key: IndexKey, asked: Exploring): readonly Uint8Array[] {
  const { terraformVersion, writer } = asked;
  const terms = Object.values(criteriaOf(asked)).toSorted((a, b) => b.length - a.length);
  return [
    ...terms.map((term) => key.word('term', term)),
    ...(writer === undefined ? [] : [key.word('writer', writer)]),
    ...(terraformVersion === undefined ? [] : [key.word('terraform', terraformVersion)]),
  ];
}

/** What is asked of resources, in lower case. */
function criteriaOf(asked: Exploring): Readonly<Partial<Record<ResourceField | 'text', string>>> {
  const given = [...RESOURCE_FIELDS, 'text' as const].flatMap((field) => {
    const text = asked[field];
    return text === undefined ? [] : [[field, text.toLowerCase()] as const];
  });
  return Object.fromEntries(given);
}

/** A state, with the resources in it that fit; null where something is asked of resources and none does. */
function foundIn(asked: Exploring, { name, version, at }: IndexMark, state: IndexedState): FoundState | null {
  const { terraformVersion, writer, unread } = state;
  if (asked.writer !== undefined && asked.writer !== writer) return null;
  if (asked.terraformVersion !== undefined && asked.terraformVersion !== terraformVersion) return null;
  const criteria = criteriaOf(asked);
  const isAsked = Object.keys(criteria).length > 0;
  const fitting = isAsked ? state.resources.filter((resource) => fits(criteria, resource)) : state.resources;
  if (isAsked && fitting.length === 0) return null;
  const told = isAsked ? fitting.slice(0, TOLD_MAX) : [];
  const resources = told.map((resource) => ({ ...resource, values: toldValues(criteria, resource) }));
  return { name, version, at, terraformVersion, writer, unread, matches: fitting.length, resources };
}

function fits(criteria: ReturnType<typeof criteriaOf>, resource: FoundResource): boolean {
  return Object.entries(criteria).every(([field, text]) =>
    isFoundBy(resource, field === 'text' ? null : (field as ResourceField), text),
  );
}

/** The values that were looked for, and then the first of the others. */
function toldValues(
  criteria: ReturnType<typeof criteriaOf>,
  { values }: FoundResource,
): FoundResource['values'] {
  const texts = [criteria.value, criteria.text].filter((text) => text !== undefined);
  const isAsked = ([, value]: FoundResource['values'][number]): boolean =>
    texts.some((text) => value.toLowerCase().includes(text));
  return [...values.filter(isAsked), ...values.filter((one) => !isAsked(one))].slice(0, VALUES_TOLD_MAX);
}

/** Prefixes, as far as they are within another one. */
function within(prefixes: readonly string[], outer: string): readonly string[] {
  if (prefixes.some((prefix) => outer.startsWith(prefix))) return [outer];
  return prefixes.filter((prefix) => prefix.startsWith(outer));
}
