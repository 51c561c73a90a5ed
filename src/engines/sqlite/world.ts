import type { Address } from '../../core/address.ts';
import type { ReleaseQuery } from '../../core/decide.ts';
import { NEW_WORLD, type Release, type Version, type World } from '../../core/world.ts';
import { EngineFault } from '../../ports/engine.ts';
import type { Database, Statement } from './files/driver.ts';
import { damaged } from './faults.ts';
import { HOLDER, QUEUE_ENTRY, RECORD, RELEASE, toRecord, VERSION, type AddressId } from './rows.ts';

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
      `SELECT id, ${RECORD.list} FROM address WHERE project = ? AND key = ? AND workspace = ?`,
    );
    this.#version = db.prepare(`SELECT ${VERSION.list} FROM version WHERE address_id = ? AND number = ?`);
    this.#holders = db.prepare(`SELECT ${HOLDER.list} FROM holder WHERE address_id = ? ORDER BY fence`);
    this.#line = db.prepare(`SELECT ${QUEUE_ENTRY.list} FROM place WHERE address_id = ? ORDER BY ticket`);
    const releases = `SELECT ${RELEASE.list} FROM release WHERE address_id = ?`;
    this.#releaseOf = db.prepare(`${releases} AND lock_id = ?`);
    this.#latestReleases = db.prepare(`${releases} ORDER BY number DESC LIMIT ?`);
  }

  load({ project, key, workspace }: Address): Placed {
    const row = this.#record.get(project, key, workspace) as AddressId | undefined;
    return row === undefined ? { id: null, world: NEW_WORLD } : { id: row.id, world: this.fill(row) };
  }

  /** The world that belongs to an address's row. */
  fill(row: AddressId): World {
    const record = RECORD.read(row);
    return {
      record: toRecord(record, record.head === null ? null : this.#head(row.id, record.head)),
      holders: HOLDER.readAll(this.#holders.all(row.id)),
      line: QUEUE_ENTRY.readAll(this.#line.all(row.id)),
      releases: [],
    };
  }

  /** Releases of an address, newest last. */
  releases(addressId: number, query: ReleaseQuery): readonly Release[] {
    const rows =
      'lockId' in query
        ? this.#releaseOf.all(addressId, query.lockId)
        : this.#latestReleases.all(addressId, query.latest).toReversed();
    return RELEASE.readAll(rows);
  }

  version(addressId: number, number: number): Version | null {
    const row = this.#version.get(addressId, number);
    return row === undefined ? null : VERSION.read(row);
  }

  #head(addressId: number, number: number): Version {
    const head = this.version(addressId, number);
    if (head === null) throw new EngineFault(damaged(`version ${number} of a state is missing`));
    return head;
  }
}
