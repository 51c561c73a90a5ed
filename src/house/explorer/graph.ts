import { formatAddress, isAddress, parseAddress, type Address } from '../../core/address.ts';
import type { Identity } from '../../core/grant.ts';
import type { Instant } from '../../core/instant.ts';
import type { Engine } from '../../ports/engine.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { Caller, Shut } from '../caller.ts';
import type { Gate } from '../gate.ts';
import type { Records } from '../records/records.ts';
import { INDEX_RECORD, IndexKey, type IndexState } from './index-key.ts';
import { openRow } from './indexed-state.ts';
import type { SeenReads } from './seen-reads.ts';

/** Rows of the index that are looked through for one answer. */
const ROWS_MAX = 1_000;
const PAGE = 200;

/** That one state reads another. */
export interface Edge {
  /** The state that reads. */
  readonly from: string;
  readonly to: string;
  /** A data source in it says so. */
  readonly declared: boolean;
  /** It was seen while the lock of the one that reads was held. */
  readonly seen: { readonly count: number; readonly at: Instant } | null;
}

export type GraphAnswer =
  | {
      readonly type: 'graph';
      readonly edges: readonly Edge[];
      /** There is more than is told. */
      readonly cut: boolean;
      readonly complete: boolean;
    }
  | Shut;

/** Says which states read which: what depends on a state, before one changes it. An edge is shown to who may read both ends. */
export class Graph {
  readonly #engine: Engine;
  readonly #records: Records<IndexState>;
  readonly #sealer: Sealer;
  readonly #gate: Gate;
  readonly #seen: SeenReads;

  constructor(options: {
    engine: Engine;
    records: Records<IndexState>;
    sealer: Sealer;
    gate: Gate;
    seen: SeenReads;
  }) {
    this.#engine = options.engine;
    this.#records = options.records;
    this.#sealer = options.sealer;
    this.#gate = options.gate;
    this.#seen = options.seen;
  }

  /** What a state reads, and what reads it. */
  async around(caller: Caller, address: Address): Promise<GraphAnswer> {
    const refusal = await this.#gate.on(caller, 'read', address);
    if (refusal !== null) return refusal;
    const name = formatAddress(address);
    const key = await this.#key();
    const readers = key === null ? NONE : await this.#rowsUnder(caller, key.word('reads', name), '');
    const declared = [
      ...(await this.#readsOf([name])),
      ...(await this.#readsOf(readers.names)).filter(({ to }) => to === name),
    ];
    return this.#answer(caller, declared, readers.cut, ({ from, to }) => from === name || to === name);
  }

  /** All that is known of a project, or of every one. */
  async of(caller: Caller, project: string | null): Promise<GraphAnswer> {
    const refusal = this.#gate.somewhere(caller, 'read');
    if (refusal !== null) return refusal;
    const outer = project === null ? '' : `${project}/`;
    const key = await this.#key();
    const rows = key === null ? NONE : await this.#rowsUnder(caller, key.word('reads', ''), outer);
    const declared = await this.#readsOf(rows.names);
    const isAsked = ({ from, to }: Pick<Edge, 'from' | 'to'>): boolean =>
      from.startsWith(outer) || to.startsWith(outer);
    return this.#answer(caller, declared, rows.cut, isAsked);
  }

  async #answer(
    { identity }: Caller,
    declared: readonly Pick<Edge, 'from' | 'to'>[],
    cut: boolean,
    isAsked: (edge: Pick<Edge, 'from' | 'to'>) => boolean,
  ): Promise<GraphAnswer> {
    const edges = new Map<string, Edge>();
    const nameOf = ({ from, to }: Pick<Edge, 'from' | 'to'>): string => `${from}\n${to}`;
    for (const edge of declared) edges.set(nameOf(edge), { ...edge, declared: true, seen: null });
    for (const { from, to, count, at } of await this.#seen.all()) {
      const name = nameOf({ from, to });
      edges.set(name, { from, to, declared: edges.has(name), seen: { count, at } });
    }
    const shown = [...edges.values()].filter(
      (edge) => isAsked(edge) && this.#shows(identity, edge.from) && this.#shows(identity, edge.to),
    );
    const complete = (await this.#records.find(INDEX_RECORD))?.builtTo === null;
    return { type: 'graph', edges: shown.toSorted(byEnds), cut, complete };
  }

  /** The names of what is under a word and may be shown. */
  async #rowsUnder({ identity }: Caller, word: Uint8Array, outer: string): Promise<Rows> {
    const names: string[] = [];
    let looked = 0;
    for (const prefix of this.#gate.reach(identity, 'read')) {
      if (!prefix.startsWith(outer) && !outer.startsWith(prefix)) continue;
      const within = prefix.length > outer.length ? prefix : outer;
      let after = '';
      for (;;) {
        if (looked >= ROWS_MAX) return { names, cut: true };
        const query = { words: [word], prefix: within, limit: PAGE, ...(after === '' ? {} : { after }) };
        const { marks, lookedTo } = await this.#engine.indexed(query);
        looked += marks.length;
        names.push(...marks.map(({ name }) => name).filter((name) => this.#shows(identity, name)));
        if (lookedTo === null) break;
        after = lookedTo;
      }
    }
    return { names, cut: false };
  }

  /** What states say that they read. */
  async #readsOf(names: readonly string[]): Promise<readonly Pick<Edge, 'from' | 'to'>[]> {
    const edges: Pick<Edge, 'from' | 'to'>[] = [];
    for (const row of await this.#engine.indexRows(names)) {
      const state = await openRow(this.#sealer, row);
      for (const to of state?.reads ?? []) edges.push({ from: row.name, to });
    }
    return edges;
  }

  async #key(): Promise<IndexKey | null> {
    const stored = await this.#records.find(INDEX_RECORD);
    return stored === null ? null : IndexKey.open(this.#sealer, stored);
  }

  #shows(identity: Identity, name: string): boolean {
    const address = parseAddress(name);
    return isAddress(address) && this.#gate.shows(identity, 'read', address);
  }
}

interface Rows {
  readonly names: readonly string[];
  readonly cut: boolean;
}
const NONE: Rows = { names: [], cut: false };

function byEnds(a: Edge, b: Edge): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  return a.to < b.to ? -1 : 1;
}
