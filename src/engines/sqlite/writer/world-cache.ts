import { formatAddress, type Address } from '../../../core/address.ts';
import { evolve, type ReleaseQuery } from '../../../core/decide.ts';
import type { Effect } from '../../../core/effect.ts';
import type { World } from '../../../core/world.ts';
import { ownerOf, type RowKeys } from '../../row-keys.ts';
import { keptAfter } from '../../version-numbers.ts';
import { insert } from '../columns.ts';
import type { Database, Statement } from '../files/driver.ts';
import { RECORD, recordOf } from '../rows.ts';
import { NEW_ADDRESS, WorldLoader, type Placed } from '../world.ts';

/** How many rows the writer's worlds may have in all; 20,000 is the longest line. */
const ROWS_CACHED_MAX = 60_000;

/**
 * The worlds that the writer has used last, kept in step with their rows, so that a busy address is not read again for
 * every command. What a transaction has touched is forgotten when it is rolled back.
 */
export class WorldCache {
  readonly #keys: RowKeys;
  readonly #loader: WorldLoader;
  readonly #create: Statement;
  /** In the order of last use. */
  readonly #worlds = new Map<string, Placed>();
  readonly #touched = new Set<string>();
  #rows = 0;

  constructor(db: Database, keys: RowKeys) {
    this.#keys = keys;
    this.#loader = new WorldLoader(db, keys);
    this.#create = db.prepare(insert('address', `project, key, workspace, name, ${RECORD.list}`));
  }

  /** @param releases those that are asked for are read, and not cached: they are many, and each is looked at once or twice */
  get(address: Address, releases: ReleaseQuery | null): World {
    const { id, world } = this.#use(ownerOf(address), address);
    if (id === null || releases === null) return world;
    return { ...world, releases: this.#loader.releases(address, id, releases) };
  }

  /** The id of the address's row, which is made if there is none. */
  idOf(address: Address): number {
    const name = ownerOf(address);
    const placed = this.#use(name, address);
    if (placed.id !== null) return placed.id;
    this.#touched.add(name);
    const { project, key, workspace } = address;
    const record = RECORD.values(this.#keys, ownerOf(address), recordOf(this.#keys, NEW_ADDRESS));
    const made = this.#create.run(project, key, workspace, formatAddress(address), ...record);
    const id = Number(made.lastInsertRowid);
    this.#put(name, { ...placed, id });
    return id;
  }

  /**
   * Follows what has just been stored.
   * @param noted the audit record of it; null for none
   */
  evolve(address: Address, effects: readonly Effect[], noted: number | null): Placed {
    const name = ownerOf(address);
    const { id, world, kept, audited } = this.#use(name, address);
    this.#touched.add(name);
    const evolved = {
      id,
      world: { ...evolve(world, effects), releases: [] },
      kept: effects.reduce(keptAfter, kept),
      audited: noted ?? audited,
    };
    this.#put(name, evolved);
    return evolved;
  }

  /** After a rollback: the rows are not what was followed. */
  forgetTouched(): void {
    for (const name of this.#touched) this.#drop(name);
    this.#touched.clear();
  }

  /** After a commit, when what was touched has become so. Makes room for the next. */
  settle(): void {
    this.#touched.clear();
    for (const name of this.#worlds.keys()) {
      if (this.#rows <= ROWS_CACHED_MAX) return;
      this.#drop(name);
    }
  }

  #use(name: string, address: Address): Placed {
    const known = this.#worlds.get(name);
    const placed = known ?? this.#loader.load(address);
    if (known !== undefined) this.#worlds.delete(name);
    else this.#rows += rowsOf(placed);
    this.#worlds.set(name, placed);
    return placed;
  }

  #put(name: string, placed: Placed): void {
    this.#drop(name);
    this.#rows += rowsOf(placed);
    this.#worlds.set(name, placed);
  }

  #drop(name: string): void {
    const placed = this.#worlds.get(name);
    if (placed === undefined) return;
    this.#rows -= rowsOf(placed);
    this.#worlds.delete(name);
  }
}

function rowsOf({ world }: Placed): number {
  return 2 + world.holders.length + world.line.length;
}
