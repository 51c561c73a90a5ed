import { DEFAULT_WORKSPACE, S3_WORKSPACE_PREFIX, type Address } from '../../core/address.ts';
import type { ReleaseQuery } from '../../core/decide.ts';
import { NEW_WORLD, type Release, type Version, type World } from '../../core/world.ts';
import { EngineFault } from '../../ports/engine.ts';
import { toRecord } from '../address-record.ts';
import { changedElsewhere, digestOf, ownerOf, sameBytes, type RowKeys } from '../row-keys.ts';
import { hasVersion, NO_VERSIONS } from '../version-numbers.ts';
import type { Database, Statement } from './files/driver.ts';
import { damaged } from './faults.ts';
import {
  digestOfHolders,
  HOLDER,
  QUEUE_ENTRY,
  RECORD,
  RELEASE,
  toVersion,
  VERSION,
  type AddressId,
  type RecordOf,
  type StoredRecord,
} from './rows.ts';

/** An address with its row's id; null while there is no row. */
export interface Placed extends RecordOf {
  readonly id: number | null;
}

export const NEW_ADDRESS: Placed = { id: null, world: NEW_WORLD, kept: NO_VERSIONS, audited: 0 };

/** The table, looked up by either index of it. They stand on different pages, so that damage to one makes no address absent. */
export const BY_ADDRESS = 'address INDEXED BY sqlite_autoindex_address_1';
export const BY_ADDRESS_AGAIN = 'address INDEXED BY address_again';

/** The name of a state's object (`objectName`), as its two indexes have it. */
export const OBJECT_NAME: string = `iif(workspace = '${DEFAULT_WORKSPACE}', key, '${S3_WORKSPACE_PREFIX}/' || workspace || '/' || key)`;
export const BY_NAME = 'address INDEXED BY address_by_name';
export const BY_NAME_AGAIN = 'address INDEXED BY address_by_name_again';

/** The columns from which {@link WorldLoader} reads the record of an address. */
export const RECORD_COLUMNS: string =
  `id, ${RECORD.list}, ` +
  '(SELECT max(number) FROM version WHERE address_id = address.id) AS newest_version';

/** The record of an address as its row says it. */
export interface PlacedRecord extends AddressId {
  readonly record: StoredRecord;
}

/** Reads worlds out of their rows, on either side: the writer's or the readers'. */
export class WorldLoader {
  readonly #keys: RowKeys;
  readonly #record: Statement;
  readonly #again: Statement;
  readonly #version: Statement;
  readonly #holders: Statement;
  readonly #line: Statement;
  readonly #releaseOf: Statement;
  readonly #latestReleases: Statement;

  constructor(db: Database, keys: RowKeys) {
    this.#keys = keys;
    this.#record = db.prepare(
      `SELECT ${RECORD_COLUMNS} FROM ${BY_ADDRESS} WHERE project = ? AND key = ? AND workspace = ?`,
    );
    this.#again = db.prepare(
      `SELECT 1 FROM ${BY_ADDRESS_AGAIN} WHERE project = ? AND key = ? AND workspace = ?`,
    );
    this.#version = db.prepare(`SELECT ${VERSION.list} FROM version WHERE address_id = ? AND number = ?`);
    this.#holders = db.prepare(`SELECT ${HOLDER.list} FROM holder WHERE address_id = ? ORDER BY fence`);
    this.#line = db.prepare(`SELECT ${QUEUE_ENTRY.list} FROM place WHERE address_id = ? ORDER BY ticket`);
    const releases = `SELECT ${RELEASE.list} FROM release WHERE address_id = ?`;
    this.#releaseOf = db.prepare(`${releases} AND lock_id = ?`);
    this.#latestReleases = db.prepare(`${releases} ORDER BY number DESC LIMIT ?`);
  }

  load(address: Address): Placed {
    const found = this.record(address);
    return found === null ? NEW_ADDRESS : this.#fill(ownerOf(address), found, true);
  }

  /**
   * @param row has {@link RECORD_COLUMNS}
   * @param withLine whether to read who waits, too
   */
  fill(address: Address, row: unknown, withLine: boolean): World {
    const owner = ownerOf(address);
    return this.#fill(owner, this.#read(owner, row), withLine).world;
  }

  /** The record of an address; null where neither index has it. @throws {EngineFault} where it was changed, or one has it */
  record(address: Address): PlacedRecord | null {
    const { project, key, workspace } = address;
    const row = this.#record.get(project, key, workspace);
    if (row !== undefined) return this.#read(ownerOf(address), row);
    if (this.#again.get(project, key, workspace) === undefined) return null;
    throw new EngineFault(damaged('an index of the addresses lacks one'));
  }

  /** Releases of an address, newest last. */
  releases(address: Address, addressId: number, query: ReleaseQuery): readonly Release[] {
    const rows =
      'lockId' in query
        ? this.#releaseOf.all(addressId, query.lockId)
        : this.#latestReleases.all(addressId, query.latest).toReversed();
    return RELEASE.readAll(this.#keys, ownerOf(address), rows);
  }

  /** One version; null where it is not kept. @throws {EngineFault} where it was changed, or taken away */
  version(owner: string, { id, record }: PlacedRecord, number: number): Version | null {
    const row = this.#version.get(id, number);
    const isKept = hasVersion(record.kept, number);
    if (row === undefined && isKept)
      throw new EngineFault(damaged(`version ${number} of a state is missing`));
    if (row !== undefined && !isKept) throw changedElsewhere(`list of versions, by number ${number},`, owner);
    return row === undefined ? null : toVersion(this.#keys, owner, row);
  }

  /** The newest version, also of a state that is deleted; null where there is none. @throws {EngineFault} as {@link version} */
  head(owner: string, found: PlacedRecord): Version | null {
    const { head: number } = found.record;
    if (number === null) return null;
    const head = this.version(owner, found, number);
    if (head === null) throw changedElsewhere('newest version', owner);
    return head;
  }

  #read(owner: string, row: unknown): PlacedRecord {
    const record = RECORD.read(this.#keys, owner, row);
    const { id, newest_version: newest } = row as { id: number; newest_version: number | null };
    // An older copy of the record knows nothing of what was written since.
    if (newest !== null && !hasVersion(record.kept, newest)) throw changedElsewhere('record', owner);
    return { id, record };
  }

  /**
   * Holds the rows of who holds the lock against the record, without reading what they say.
   * @throws {EngineFault} where one was changed, or taken away
   */
  verifyHolders(owner: string, { id, record }: PlacedRecord): void {
    const macs = this.#holders.all(id).map((row) => HOLDER.verify(this.#keys, owner, row));
    requireHolders(owner, digestOf(macs), record);
  }

  #fill(owner: string, found: PlacedRecord, withLine: boolean): Placed {
    const { id, record } = found;
    const holders = HOLDER.readAll(this.#keys, owner, this.#holders.all(id));
    requireHolders(owner, digestOfHolders(this.#keys, holders), record);
    const head = this.head(owner, found);
    const line = withLine ? QUEUE_ENTRY.readAll(this.#keys, owner, this.#line.all(id)) : [];
    const { kept, audited } = record;
    return { id, kept, audited, world: { record: toRecord(record, head), holders, line, releases: [] } };
  }
}

function requireHolders(owner: string, digest: Uint8Array, record: StoredRecord): void {
  if (!sameBytes(digest, record.holders)) throw changedElsewhere('list of holders of the lock', owner);
}
