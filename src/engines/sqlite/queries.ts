import { isDeepStrictEqual } from 'node:util';
import { objectName, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { Credential } from '../../core/credential.ts';
import type { Usage } from '../../core/quota.ts';
import { liveHead, type Version, type World } from '../../core/world.ts';
import type { Entry, EntryPage, WaitingRequest, StateSummary } from '../../ports/engine.ts';
import type { Resealed } from '../../ports/sealed-anew.ts';
import { EngineFault } from '../../ports/engine.ts';
import type { IndexPage, IndexQuery, IndexRow } from '../../ports/state-index.ts';
import { toRecord } from '../address-record.ts';
import { changedElsewhere, ownerOf, RowKeys } from '../row-keys.ts';
import type { Stretch } from '../searched.ts';
import { newestVersions } from '../version-numbers.ts';
import type { Database, Statement } from './files/driver.ts';
import { Conditions } from './reads/conditions.ts';
import { HouseRow, sealedRowKey } from './credentials.ts';
import { EntryReader } from './reads/entries.ts';
import { damaged } from './faults.ts';
import { ADDRESS, CREDENTIAL, HOUSE, toEntry, toVersion, toWaitingRequest, VERSION, whole } from './rows.ts';
import { IndexReader } from './state-index.ts';
import { UsageRows } from './usage.ts';
import {
  BY_ADDRESS,
  BY_ADDRESS_AGAIN,
  BY_NAME,
  BY_NAME_AGAIN,
  OBJECT_NAME,
  RECORD_COLUMNS,
  WorldLoader,
} from './world.ts';

/** Longer than any key can go on after its prefix, so no key that begins so sorts behind the two together. */
const BEHIND_ALL_KEYS = '\u{10FFFF}'.repeat(226);

/** Of the states that a listing passes over, so many are looked at whether they say so themselves: it costs as much as to list them. */
const HIDDEN_MAX = 1_000;

const NO_KEY = new Uint8Array();

/** Compared as one value, in the order of the indexes. */
const WHOLE_ADDRESS = '(project, key, workspace)';

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
  readonly #entryReader: EntryReader;
  readonly #index: IndexReader;
  readonly #versions: Statement;
  readonly #credentials: Statement;
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
    this.#entryReader = new EntryReader(db, keys);
    this.#index = new IndexReader(db);
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

  version(address: Address, number: number | null): Version | null {
    const owner = ownerOf(address);
    return this.#atOneMoment(() => {
      const found = this.#worlds.record(address);
      if (found === null) return null;
      if (number !== null) return this.#worlds.version(owner, found, number);
      this.#worlds.verifyHolders(owner, found);
      return liveHead(toRecord(found.record, this.#worlds.head(owner, found)));
    });
  }

  states(query: Stretch): StateSummary[] {
    const { named, search, deleted = false, used = false, locked = false, lines = false, limit } = query;
    const [table, again] = named === undefined ? [BY_ADDRESS, BY_ADDRESS_AGAIN] : [BY_NAME, BY_NAME_AGAIN];
    const isLocked = 'EXISTS (SELECT 1 FROM holder WHERE holder.address_id = address.id)';
    const isThere = deleted ? 'head IS NOT NULL' : '(head IS NOT NULL AND deleted_at IS NULL)';
    const isShown = used
      ? '(last_version > 0 OR last_ticket > 0 OR fence > 0 OR change_index > 0)'
      : `(${isThere} OR ${isLocked})`;
    const range = rangeOf(query);
    const conditions = range.and(locked ? 'id IN (SELECT address_id FROM holder)' : isShown);
    if (search !== undefined) conditions.add('instr(name, ?) > 0', search);
    // The few that are locked are looked up from their holders, and so few are searched for: to look at all addresses besides would take far longer.
    const sql =
      `SELECT ${ADDRESS.list}, ${RECORD_COLUMNS} FROM ${locked ? 'address' : table} WHERE ${conditions.text} ` +
      `ORDER BY ${named === undefined ? 'project, key, workspace' : `project, ${OBJECT_NAME}`} LIMIT ?`;
    return this.#atOneMoment(() => {
      const rows = this.#prepare(sql).all(...conditions.values, whole(limit));
      if (rows.length > 0 && rows.length === limit) {
        const last = ADDRESS.read(rows.at(-1));
        if (named === undefined) range.add(`${WHOLE_ADDRESS} <= (?, ?, ?)`, ...ADDRESS.values(last));
        else range.add(`${OBJECT_NAME} <= ?`, objectName(last));
      }
      if (!locked && search === undefined) this.#confirmNoneIsMissing(range, isShown, [table, again]);
      return rows.map((row) => this.#summary(row, lines));
    });
  }

  /** The address that so many others of the range come before; null where there are fewer. */
  boundary(query: Stretch, addresses: number): Address | null {
    const { text, values } = rangeOf(query);
    const sql = `SELECT ${ADDRESS.list} FROM ${BY_ADDRESS} WHERE ${text} ORDER BY project, key, workspace LIMIT 1 OFFSET ?`;
    const row = this.#prepare(sql).get(...values, addresses);
    return row === undefined ? null : ADDRESS.read(row);
  }

  /** @param row has the address and {@link RECORD_COLUMNS} */
  #summary(row: unknown, withLine: boolean): StateSummary {
    const address = ADDRESS.read(row);
    return { address, world: this.#worlds.fill(address, row, withLine) };
  }

  /** @throws {EngineFault} where the indexes differ within the range, or a row is not shown because it is damaged */
  #confirmNoneIsMissing(range: Conditions, isShown: string, [table, again]: readonly [string, string]): void {
    // The number alone would not tell of one that is there twice in the place of another.
    const sum = (source: string): unknown =>
      this.#prepare(`SELECT count(*) AS n, sum(id) AS ids FROM ${source} WHERE ${range.text}`).get(
        ...range.values,
      );
    if (!isDeepStrictEqual(sum(table), sum(again)))
      throw new EngineFault(damaged('an index of the addresses lacks one'));
    const { text, values } = range.and(`NOT ${isShown}`);
    const hidden = `SELECT ${ADDRESS.list}, ${RECORD_COLUMNS} FROM ${table} WHERE ${text} LIMIT ${HIDDEN_MAX}`;
    for (const row of this.#prepare(hidden).all(...values)) this.#summary(row, false);
  }

  credentials(): Credential[] {
    return this.#atOneMoment(() => {
      this.#house.verifyCredentials();
      return CREDENTIAL.readAll(this.#keys, HOUSE, this.#credentials.all());
    });
  }

  entries(kind: string | null, page?: EntryPage): Entry[] {
    return this.#atOneMoment(() => this.#entryReader.all(kind, page)).map(toEntry);
  }

  entry(kind: string, name: string): Entry | null {
    // Two looks are of one moment; what is found at the first needs no second.
    const reader = this.#entryReader;
    const stored = reader.found(kind, name) ?? this.#atOneMoment(() => reader.find(kind, name));
    return stored === null ? null : toEntry(stored);
  }

  indexed(query: IndexQuery): IndexPage {
    return this.#index.indexed(query);
  }

  indexRows(names: readonly string[]): IndexRow[] {
    return this.#index.rows(names);
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

/** The addresses among which a query looks, whatever they have. */
function rangeOf({ project, keyPrefix, named, after, upTo }: Stretch): Conditions {
  const range = new Conditions();
  if (project !== undefined) range.add('project = ?', project);
  if (keyPrefix !== undefined) range.add('key >= ? AND key < ?', keyPrefix, keyPrefix + BEHIND_ALL_KEYS);
  if (after !== undefined) range.add(`${WHOLE_ADDRESS} > (?, ?, ?)`, ...ADDRESS.values(after));
  if (upTo !== undefined) range.add(`${WHOLE_ADDRESS} <= (?, ?, ?)`, ...ADDRESS.values(upTo));
  if (named === undefined) return range;
  range.add(`${OBJECT_NAME} > ?`, named.after);
  if (named.prefix !== '')
    range.add(`${OBJECT_NAME} >= ? AND ${OBJECT_NAME} < ?`, named.prefix, named.prefix + BEHIND_ALL_KEYS);
  return range;
}
