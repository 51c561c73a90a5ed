import type { Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { Credential } from '../../core/credential.ts';
import type { Usage } from '../../core/quota.ts';
import type { Version, World } from '../../core/world.ts';
import type {
  Entry,
  EntryPage,
  Resealed,
  WaitingRequest,
  StateQuery,
  StateSummary,
} from '../../ports/engine.ts';
import { changedElsewhere, ownerOf, RowKeys } from '../row-keys.ts';
import { newestVersions } from '../version-numbers.ts';
import type { Database, SqlValue, Statement } from './files/driver.ts';
import { HouseRow, sealedRowKey } from './credentials.ts';
import {
  ADDRESS,
  CREDENTIAL,
  ENTRY,
  HOUSE,
  toEntry,
  toVersion,
  toWaitingRequest,
  VERSION,
  whole,
} from './rows.ts';
import { UsageRows } from './usage.ts';
import { RECORD_COLUMNS, WorldLoader } from './world.ts';

/** Longer than any key can go on after its prefix, so no key that begins so sorts behind the two together. */
const BEHIND_ALL_KEYS = '\u{10FFFF}'.repeat(226);

const NO_KEY = new Uint8Array();

interface SealedRow {
  readonly id: string;
  readonly sealed: Uint8Array;
}

/** The reads. Each sees one moment, and every commit that was answered before it began. */
export class Queries {
  readonly #db: Database;
  readonly #keys: RowKeys;
  readonly #keyIdOf: (sealed: Uint8Array) => string;
  readonly #worlds: WorldLoader;
  readonly #house: HouseRow;
  readonly #usage: UsageRows;
  readonly #versions: Statement;
  readonly #credentials: Statement;
  readonly #entry: Statement;
  readonly #begin: Statement;
  readonly #end: Statement;
  /** Statements of queries whose text depends on what is asked; there are a few dozen of them. */
  readonly #prepared = new Map<string, Statement>();

  /** @param keyIdOf reads the id of the master key that something small was sealed under */
  constructor(db: Database, keyIdOf: (sealed: Uint8Array) => string, keys: RowKeys = new RowKeys()) {
    this.#db = db;
    this.#keys = keys;
    this.#keyIdOf = keyIdOf;
    this.#house = new HouseRow(db, keys);
    this.#usage = new UsageRows(db, keys);
    db.function('key_id_of', (sealed: Uint8Array) => (sealed.length === 0 ? '' : keyIdOf(sealed)));
    this.#worlds = new WorldLoader(db, keys);
    this.#versions = db.prepare(
      `SELECT ${VERSION.list} FROM version WHERE address_id = ? AND number < ? ORDER BY number DESC LIMIT ?`,
    );
    this.#credentials = db.prepare(`SELECT ${CREDENTIAL.list} FROM credential ORDER BY created_at, ordinal`);
    this.#entry = db.prepare(`SELECT ${ENTRY.list} FROM entry WHERE kind = ? AND name = ?`);
    this.#begin = db.prepare('BEGIN');
    this.#end = db.prepare('COMMIT');
  }

  world(address: Address): World {
    return this.#atOneMoment(() => this.#worlds.load(address).world);
  }

  versions(address: Address, query: { before?: number; limit: number }): Version[] {
    const { before = Infinity, limit } = query;
    const owner = ownerOf(address);
    return this.#atOneMoment(() => {
      const found = this.#worlds.record(address);
      if (found === null) return [];
      const rows = this.#versions.all(found.id, whole(before), whole(limit));
      const versions = rows.map((row) => toVersion(this.#keys, owner, row));
      const kept = newestVersions(found.record.kept, before, limit);
      if (kept.length !== versions.length || versions.some(({ number }, at) => number !== kept[at]))
        throw changedElsewhere('list of versions', owner);
      return versions;
    });
  }

  version(address: Address, number: number): Version | null {
    return this.#atOneMoment(() => {
      const found = this.#worlds.record(address);
      return found === null ? null : this.#worlds.version(ownerOf(address), found, number);
    });
  }

  states(query: StateQuery): StateSummary[] {
    const { project, keyPrefix, exceptWorkspace, search, deleted = false, used = false } = query;
    const { locked = false, after, limit } = query;
    const isLocked = 'EXISTS (SELECT 1 FROM holder WHERE holder.address_id = address.id)';
    const isThere = deleted ? 'head IS NOT NULL' : '(head IS NOT NULL AND deleted_at IS NULL)';
    const isShown = used
      ? '(last_version > 0 OR last_ticket > 0 OR fence > 0 OR change_index > 0)'
      : `(${isThere} OR ${isLocked})`;
    const conditions = [locked ? 'id IN (SELECT address_id FROM holder)' : isShown];
    const values: SqlValue[] = [];
    const where = (condition: string, ...bound: SqlValue[]): void => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (project !== undefined) where('project = ?', project);
    if (keyPrefix !== undefined) {
      where('key >= ? AND key < ?', keyPrefix, keyPrefix + BEHIND_ALL_KEYS);
    }
    if (exceptWorkspace !== undefined) where('workspace <> ?', exceptWorkspace);
    if (search !== undefined) where('instr(name, ?) > 0', search);
    if (after !== undefined) {
      where('(project, key, workspace) > (?, ?, ?)', after.project, after.key, after.workspace);
    }
    const sql =
      `SELECT ${ADDRESS.list}, ${RECORD_COLUMNS} FROM address WHERE ${conditions.join(' AND ')} ` +
      'ORDER BY project, key, workspace LIMIT ?';
    return this.#atOneMoment(() =>
      this.#prepare(sql)
        .all(...values, whole(limit))
        .map((row) => {
          const address = ADDRESS.read(row);
          return { address, world: this.#worlds.fill(address, row) };
        }),
    );
  }

  credentials(): Credential[] {
    return this.#atOneMoment(() => {
      this.#house.verifyCredentials();
      return CREDENTIAL.readAll(this.#keys, HOUSE, this.#credentials.all());
    });
  }

  entries(kind: string | null, { after, limit }: EntryPage = { limit: Infinity }): Entry[] {
    const conditions = [
      ...(kind === null ? [] : ['kind = ?']),
      ...(after === undefined ? [] : ['(kind, name) > (?, ?)']),
    ];
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const bound = [
      ...(kind === null ? [] : [kind]),
      ...(after === undefined ? [] : [after.kind, after.name]),
    ];
    const rows = this.#prepare(`SELECT ${ENTRY.list} FROM entry ${where} ORDER BY kind, name LIMIT ?`).all(
      ...bound,
      whole(limit),
    );
    return rows.map((row) => toEntry(this.#keys, row));
  }

  entry(kind: string, name: string): Entry | null {
    const row = this.#entry.get(kind, name);
    return row === undefined ? null : toEntry(this.#keys, row);
  }

  usage(project: string): Usage {
    return this.#usage.read(project);
  }

  seats(query: { node: string } | { notNode: string }): WaitingRequest[] {
    const node = 'node' in query ? query.node : query.notNode;
    // A node's seats are `node:number`, and ";" comes next after ":".
    const range = 'node' in query ? 'seat >= ? AND seat < ?' : 'NOT (seat >= ? AND seat < ?)';
    const columns = `${ADDRESS.list}, waiter, seat`;
    const sql =
      `SELECT ${columns}, 0 AS granted FROM place JOIN address ON id = address_id WHERE seat IS NOT NULL AND ${range} ` +
      `UNION ALL SELECT ${columns}, 1 FROM holder JOIN address ON id = address_id ` +
      `WHERE accepted = 0 AND seat IS NOT NULL AND ${range}`;
    const bounds = [`${node}:`, `${node};`];
    return this.#prepare(sql)
      .all(...bounds, ...bounds)
      .map(toWaitingRequest);
  }

  ending(now: Instant, limit: number): Address[] {
    return ADDRESS.readAll(
      this.#prepare(
        `SELECT ${ADDRESS.list} FROM address WHERE free_at <= ?
         UNION SELECT ${ADDRESS.list} FROM holder JOIN address ON id = address_id WHERE until <= ? LIMIT ?`,
      ).all(now, now, limit),
    );
  }

  /** Bodies carry their key's id in an index; of the rest there is little, so it is looked through. */
  sealedUnderOther(keyId: string, limit: number): Resealed[] {
    const found: Resealed[] = [];
    const rest = (): number => whole(limit - found.length);
    const rowKey = sealedRowKey(this.#db) ?? NO_KEY;
    if (rowKey.length > 0 && this.#keyIdOf(rowKey) !== keyId) found.push({ kind: 'row-key', sealed: rowKey });
    const bodies = this.#prepare(
      `SELECT id, key_id, wrapped_key FROM body WHERE key_id < ?
       UNION ALL SELECT id, key_id, wrapped_key FROM body WHERE key_id > ? LIMIT ?`,
    ).all(keyId, keyId, rest()) as { id: string; key_id: string; wrapped_key: Uint8Array }[];
    for (const row of bodies) {
      found.push({ kind: 'body', id: row.id, keyId: row.key_id, wrappedKey: row.wrapped_key });
    }
    const credentials = this.#prepare(
      'SELECT id, sealed_secret AS sealed FROM credential WHERE key_id_of(sealed_secret) <> ? LIMIT ?',
    ).all(keyId, rest()) as SealedRow[];
    for (const { id, sealed } of credentials) found.push({ kind: 'credential', id, sealed });
    for (const row of this.#sealedOn('holder', 'lock_id', keyId, rest())) {
      found.push({ kind: 'holder', address: ADDRESS.read(row), lockId: row.id, sealed: row.sealed });
    }
    for (const row of this.#sealedOn('place', 'waiter', keyId, rest())) {
      found.push({ kind: 'place', address: ADDRESS.read(row), waiter: row.id, sealed: row.sealed });
    }
    return found;
  }

  #sealedOn(table: 'holder' | 'place', id: string, keyId: string, limit: number): SealedRow[] {
    return this.#prepare(
      `SELECT ${ADDRESS.list}, ${id} AS id, info AS sealed FROM ${table} JOIN address ON address.id = address_id
       WHERE length(info) > 0 AND key_id_of(info) <> ? LIMIT ?`,
    ).all(keyId, limit) as SealedRow[];
  }

  /** Runs several statements on one snapshot; the writer goes on beside it. */
  #atOneMoment<T>(read: () => T): T {
    this.#begin.run();
    try {
      return read();
    } finally {
      this.#end.run();
    }
  }

  #prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
