import { formatAddress, type Address } from '../../core/address.ts';
import { evolve, type ReleaseQuery } from '../../core/decide.ts';
import type { Effect } from '../../core/effect.ts';
import { NEW_WORLD, type Release, type Version, type World } from '../../core/world.ts';
import { EngineFault } from '../../ports/engine.ts';
import type { Database, SqlValue, Statement } from './driver.ts';
import { damaged } from './fault.ts';
import {
  HOLDER_COLUMNS,
  PLACE_COLUMNS,
  RECORD_COLUMNS,
  RELEASE_COLUMNS,
  toHolder,
  toPlace,
  toRecord,
  toRelease,
  toVersion,
  VERSION_COLUMNS,
  type HolderRow,
  type PlaceRow,
  type RecordRow,
  type ReleaseRow,
  type VersionRow,
} from './rows.ts';

/** How many rows the writer's worlds may have in all; 20,000 is the longest line. */
const ROWS_CACHED_MAX = 60_000;

/** An address with its row's id; null while there is no row. */
export interface Placed {
  readonly id: number | null;
  readonly world: World;
}

/** Reads worlds out of their rows, on either side: the writer's or the readers'. */
export class WorldLoader {
  readonly #record: Statement;
  readonly #version: Statement;
  readonly #holders: Statement;
  readonly #line: Statement;
  readonly #releaseOf: Statement;
  readonly #latestReleases: Statement;

  constructor(db: Database) {
    this.#record = db.prepare(
      `SELECT id, ${RECORD_COLUMNS} FROM address WHERE project = ? AND key = ? AND workspace = ?`,
    );
    this.#version = db.prepare(`SELECT ${VERSION_COLUMNS} FROM version WHERE address_id = ? AND number = ?`);
    this.#holders = db.prepare(`SELECT ${HOLDER_COLUMNS} FROM holder WHERE address_id = ? ORDER BY fence`);
    this.#line = db.prepare(`SELECT ${PLACE_COLUMNS} FROM place WHERE address_id = ? ORDER BY ticket`);
    const releases = `SELECT ${RELEASE_COLUMNS} FROM release WHERE address_id = ?`;
    this.#releaseOf = db.prepare(`${releases} AND lock_id = ?`);
    this.#latestReleases = db.prepare(`${releases} ORDER BY number DESC LIMIT ?`);
  }

  load({ project, key, workspace }: Address): Placed {
    const row = this.#record.get(project, key, workspace) as RecordRow | undefined;
    return row === undefined ? { id: null, world: NEW_WORLD } : { id: row.id, world: this.fill(row) };
  }

  /** The world that belongs to an address's row. */
  fill(row: RecordRow): World {
    return {
      record: toRecord(row, row.head === null ? null : this.#head(row.id, row.head)),
      holders: (this.#holders.all(row.id) as HolderRow[]).map(toHolder),
      line: (this.#line.all(row.id) as PlaceRow[]).map(toPlace),
      releases: [],
    };
  }

  /** Releases of an address, newest last. */
  releases(addressId: number, query: ReleaseQuery): readonly Release[] {
    const rows =
      'lockId' in query
        ? this.#releaseOf.all(addressId, query.lockId)
        : this.#latestReleases.all(addressId, query.latest).toReversed();
    return (rows as ReleaseRow[]).map(toRelease);
  }

  version(addressId: number, number: number): Version | null {
    const row = this.#version.get(addressId, number) as VersionRow | undefined;
    return row === undefined ? null : toVersion(row);
  }

  #head(addressId: number, number: number): Version {
    const head = this.version(addressId, number);
    if (head === null) throw new EngineFault(damaged(`version ${number} of a state is missing`));
    return head;
  }
}

/**
 * The worlds that the writer has used last, kept in step with their rows, so that a busy address is not read again for
 * every command. What a transaction has touched is forgotten when it is rolled back.
 */
export class WorldCache {
  readonly #loader: WorldLoader;
  readonly #create: Statement;
  /** In the order of last use. */
  readonly #worlds = new Map<string, Placed>();
  readonly #touched = new Set<string>();
  #rows = 0;

  constructor(db: Database) {
    this.#loader = new WorldLoader(db);
    this.#create = db.prepare(
      'INSERT INTO address (project, key, workspace, name, last_version, fence, last_ticket) VALUES (?, ?, ?, ?, 0, 0, 0)',
    );
  }

  /** @param releases those that are asked for are read, and not cached: they are many, and each is looked at once or twice */
  get(address: Address, releases: ReleaseQuery | null): World {
    const { id, world } = this.#use(nameOf(address), address);
    if (id === null || releases === null) return world;
    return { ...world, releases: this.#loader.releases(id, releases) };
  }

  /** The id of the address's row, which is made if there is none. */
  idOf(address: Address): number {
    const name = nameOf(address);
    const placed = this.#use(name, address);
    if (placed.id !== null) return placed.id;
    this.#touched.add(name);
    const values: SqlValue[] = [address.project, address.key, address.workspace, formatAddress(address)];
    const id = Number(this.#create.run(...values).lastInsertRowid);
    this.#put(name, { ...placed, id });
    return id;
  }

  /** Follows what has just been stored. */
  evolve(address: Address, effects: readonly Effect[]): void {
    const name = nameOf(address);
    const placed = this.#use(name, address);
    this.#touched.add(name);
    this.#put(name, { ...placed, world: { ...evolve(placed.world, effects), releases: [] } });
  }

  forget(address: Address): void {
    this.#drop(nameOf(address));
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

/** Unlike an address's text form this needs no look at what is in it; no part has a line feed. */
function nameOf({ project, key, workspace }: Address): string {
  return `${project}\n${key}\n${workspace}`;
}
