import type { Address } from '../../core/address.ts';
import { isNoUsage, NO_USAGE, sumOf, type Usage } from '../../core/quota.ts';
import { ownerOf, type RowKeys } from '../row-keys.ts';
import { sizeOfVersion } from '../version-facts.ts';
import { AuthenticatedTable, insert, plain } from './columns.ts';
import type { Database, Statement } from './files/driver.ts';
import { ADDRESS, HOUSE, type AddressId } from './rows.ts';

interface StoredUsage extends Usage {
  readonly project: string;
}

const USAGE: AuthenticatedTable<StoredUsage> = new AuthenticatedTable('count of what a project keeps', {
  project: plain('project'),
  states: plain('states'),
  versions: plain('versions'),
  bytes: plain('bytes'),
});

/** The project whose row says that everything was counted; no project is called so. */
const COUNTED = '';
/** Projects whose counts are remembered between two transactions. */
const REMEMBERED_MAX = 10_000;

/** What of a usage has been changed and is not stored yet. */
export type UsageMark = ReadonlyMap<string, Usage>;

/** Counts what projects keep: one row for each, written once for all changes of a transaction. */
export class UsageRows {
  readonly #keys: RowKeys;
  readonly #row: Statement;
  readonly #put: Statement;
  readonly #known = new Map<string, Usage>();
  #changed = new Map<string, Usage>();

  constructor(db: Database, keys: RowKeys) {
    this.#keys = keys;
    this.#row = db.prepare(`SELECT ${USAGE.list} FROM usage WHERE project = ?`);
    this.#put = db.prepare(insert('usage', USAGE.list).replace('INSERT', 'REPLACE'));
  }

  /** What is stored. @throws {EngineFault} where the row was changed */
  read(project: string): Usage {
    const row = this.#row.get(project);
    if (row === undefined) return NO_USAGE;
    const { states, versions, bytes } = USAGE.read(this.#keys, HOUSE, row);
    return { states, versions, bytes };
  }

  /** What is stored, and what this transaction has changed. */
  get(project: string): Usage {
    const known = this.#changed.get(project) ?? this.#known.get(project);
    if (known !== undefined) return known;
    const read = this.read(project);
    this.#known.set(project, read);
    return read;
  }

  add(project: string, change: Usage): void {
    if (!isNoUsage(change)) this.#changed.set(project, sumOf(this.get(project), change));
  }

  /** What is not stored yet, to go back to. */
  get mark(): UsageMark {
    return new Map(this.#changed);
  }

  /** What was added since has been rolled back. */
  goBack(mark: UsageMark = new Map()): void {
    this.#changed = new Map(mark);
  }

  store(): void {
    for (const [project, usage] of this.#changed) this.#store(project, usage);
  }

  /** After a commit: what was changed is what is stored. */
  settle(): void {
    if (this.#changed.size === 0) return;
    if (this.#known.size > REMEMBERED_MAX) this.#known.clear();
    for (const [project, usage] of this.#changed) this.#known.set(project, usage);
    this.#changed = new Map();
  }

  /** Whether everything that was there before there were counts has been counted. */
  get isComplete(): boolean {
    return this.#row.get(COUNTED) !== undefined;
  }

  /** Counts all that is there, inside a transaction. */
  countAll(db: Database): void {
    const ofAddress = db.prepare('SELECT number, facts FROM version WHERE address_id = ?');
    for (const row of db.prepare(`SELECT id, head, ${ADDRESS.list} FROM address`).all()) {
      const address = ADDRESS.read(row);
      const { id, head } = row as AddressId & { head: number | null };
      const sizes = sizesIn(this.#keys, address, ofAddress.all(id));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      this.add(address.project, { states: head === null ? 0 : 1, versions: sizes.length, bytes });
    }
    this.store();
    this.#store(COUNTED, NO_USAGE);
  }

  #store(project: string, usage: Usage): void {
    this.#put.run(...USAGE.values(this.#keys, HOUSE, { project, ...usage }));
  }
}

/** @param rows have the number and the facts of versions */
export function sizesIn(keys: RowKeys, address: Address, rows: readonly unknown[]): number[] {
  const owner = ownerOf(address);
  return rows.map((row) => {
    const { number, facts } = row as { number: number; facts: Uint8Array };
    return sizeOfVersion(keys, owner, number, facts);
  });
}
