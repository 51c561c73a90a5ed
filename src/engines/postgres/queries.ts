import { DEFAULT_WORKSPACE, objectName, S3_WORKSPACE_PREFIX, type Address } from '../../core/address.ts';
import type { Credential } from '../../core/credential.ts';
import type { Usage } from '../../core/quota.ts';
import { NEW_WORLD, type Version, type World } from '../../core/world.ts';
import type { Entry, EntryPage, WaitingRequest, StateQuery, StateSummary } from '../../ports/engine.ts';
import type { Resealed } from '../../ports/sealed-anew.ts';
import type { IndexPage, IndexQuery, IndexRow } from '../../ports/state-index.ts';
import { changedElsewhere, ownerOf, type RowKeys } from '../row-keys.ts';
import { looksThroughAll, searched, type Stretch } from '../searched.ts';
import { hasVersion, newestVersions } from '../version-numbers.ts';
import type { Connections, Row, Statement } from './connection.ts';
import { fromText, toBytes, toText } from './columns.ts';
import { credentialsFrom } from './credentials.ts';
import { ADDRESS, toEntry, toVersion, toWaitingRequest, type StoredRecord } from './rows.ts';
import { Conditions, limitOf } from './session/conditions.ts';
import {
  countWords,
  rarestFirst,
  selectIndexed,
  selectIndexRows,
  toIndexPage,
  toIndexRow,
} from './state-index.ts';
import { readUsage, usageFrom } from './usage.ts';
import {
  headFrom,
  holdersFrom,
  recordFrom,
  selectHeads,
  selectLive,
  selectWorlds,
  theseAddresses,
  worldsFrom,
  type Wanted,
} from './world.ts';

/** The reads. Each sees one moment, and every commit that was answered before it began. */
export class Queries {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #keys: RowKeys;

  constructor(connections: Connections, schema: string, keys: RowKeys) {
    this.#connections = connections;
    this.#schema = schema;
    this.#keys = keys;
  }

  async world(address: Address): Promise<World> {
    const found = await this.#connections.read(selectWorlds(this.#schema, theseAddresses([address])));
    return worldsFrom(this.#keys, found)[0]?.world ?? NEW_WORLD;
  }

  async versions(
    address: Address,
    { before, limit }: { before?: number; limit: number },
  ): Promise<Version[]> {
    const owner = ownerOf(address);
    const { record, rows } = await this.#versionsAsked(
      address,
      `AND ($4::bigint IS NULL OR number < $4) ORDER BY number DESC ${limitOf(limit)}`,
      before ?? null,
    );
    const versions = rows.map((row) => toVersion(this.#keys, owner, row));
    const kept = record === null ? [] : newestVersions(record.kept, before ?? Infinity, limit);
    if (kept.length !== versions.length || versions.some(({ number }, at) => number !== kept[at]))
      throw changedElsewhere('list of versions', owner);
    return versions;
  }

  async version(address: Address, number: number | null): Promise<Version | null> {
    if (number === null) return this.#liveVersion(address);
    const owner = ownerOf(address);
    const { record, rows } = await this.#versionsAsked(address, 'AND number = $4', number);
    const [row] = rows;
    if ((row !== undefined) !== (record !== null && hasVersion(record.kept, number)))
      throw changedElsewhere(`list of versions, by number ${number},`, owner);
    return row === undefined ? null : toVersion(this.#keys, owner, row);
  }

  async #liveVersion(address: Address): Promise<Version | null> {
    const owner = ownerOf(address);
    const [row] = await this.#connections.read(selectLive(this.#schema, theseAddresses([address])));
    if (row === undefined) return null;
    const record = recordFrom(this.#keys, row);
    holdersFrom(this.#keys, owner, record, row);
    const head = headFrom(this.#keys, owner, row);
    if (record.head !== (head?.number ?? null)) throw changedElsewhere('newest version', owner);
    return record.deletedAt === null ? head : null;
  }

  /** Some versions of an address, and its record as it was at the same moment. */
  async #versionsAsked(
    address: Address,
    which: string,
    value: number | null,
  ): Promise<{ record: StoredRecord | null; rows: readonly Row[] }> {
    const { project, key, workspace } = address;
    const wanted = theseAddresses([address]);
    const [[found] = [], rows = []] = await this.#connections.readTogether([
      selectHeads(this.#schema, wanted),
      {
        text: `SELECT * FROM ${this.#schema}.version WHERE project = $1 AND key = $2 AND workspace = $3 ${which}`,
        values: [project, key, workspace, value],
      },
    ]);
    return { record: found === undefined ? null : recordFrom(this.#keys, found), rows };
  }

  async states(query: StateQuery): Promise<readonly StateSummary[]> {
    if (!looksThroughAll(query)) return this.#states(query);
    return searched(
      { states: (stretch) => this.#states(stretch), boundary: (...asked) => this.#boundary(...asked) },
      query,
    );
  }

  async #boundary(query: Stretch, addresses: number): Promise<Address | null> {
    const { where, values } = rangeOf(query);
    const [row] = await this.#read(
      `SELECT a.project, a.key, a.workspace FROM ${this.#schema}.address a ${where}
        ORDER BY a.project, a.key, a.workspace LIMIT 1 OFFSET ${addresses}`,
      values,
    );
    return row === undefined ? null : ADDRESS.read(row);
  }

  async #states(query: Stretch): Promise<StateSummary[]> {
    const wanted = statesAsked(this.#schema, query);
    const select = query.lines === true ? selectWorlds : selectLive;
    const found = worldsFrom(this.#keys, await this.#connections.read(select(this.#schema, wanted)));
    const states = found.map(({ address, world }) => ({ address, world }));
    return query.named === undefined ? states : states.sort((a, b) => compareNames(a.address, b.address));
  }

  async credentials(): Promise<Credential[]> {
    const [house = [], rows = []] = await this.#connections.readTogether([
      { text: `SELECT * FROM ${this.#schema}.house` },
      { text: `SELECT * FROM ${this.#schema}.credential ORDER BY created_at, ordinal` },
    ]);
    return [...credentialsFrom(this.#keys, house, rows)];
  }

  async indexed(query: IndexQuery): Promise<IndexPage> {
    const counted =
      query.words.length < 2 ? [] : await this.#connections.read(countWords(this.#schema, query.words));
    const words = rarestFirst(query.words, counted);
    return toIndexPage(await this.#connections.read(selectIndexed(this.#schema, { ...query, words })), query);
  }

  async indexRows(names: readonly string[]): Promise<IndexRow[]> {
    return (await this.#connections.read(selectIndexRows(this.#schema, names))).map(toIndexRow);
  }

  async usage(project: string): Promise<Usage> {
    return usageFrom(this.#keys, await this.#connections.read(readUsage(this.#schema, [project])));
  }

  async entries(kind: string | null, { after, limit }: EntryPage = { limit: Infinity }): Promise<Entry[]> {
    const asked = new Conditions();
    if (kind !== null) asked.add('kind = ?', kind);
    if (after !== undefined) asked.add('(kind, name) > (?, ?)', after.kind, toText(after.name));
    const rows = await this.#read(
      `SELECT * FROM ${this.#schema}.entry ${asked.where} ORDER BY kind, name ${limitOf(limit)}`,
      asked.values,
    );
    return rows.map((row) => toEntry(this.#keys, row));
  }

  async entry(kind: string, name: string): Promise<Entry | null> {
    const [row] = await this.#read(`SELECT * FROM ${this.#schema}.entry WHERE kind = $1 AND name = $2`, [
      kind,
      toText(name),
    ]);
    return row === undefined ? null : toEntry(this.#keys, row);
  }

  async seats(query: { node: string } | { notNode: string }): Promise<WaitingRequest[]> {
    return (await this.#connections.read(seatsAsked(this.#schema, query))).map(toWaitingRequest);
  }

  async ending(now: string, limit: number): Promise<Address[]> {
    const rows = await this.#read(
      `SELECT project, key, workspace FROM ${this.#schema}.holder WHERE until <= ${now}
        UNION SELECT project, key, workspace FROM ${this.#schema}.address WHERE free_at <= ${now} ${limitOf(limit)}`,
    );
    return ADDRESS.readAll(rows);
  }

  async sealedUnderOther(keyId: string, limit: number): Promise<Resealed[]> {
    const found = await this.#connections.readTogether(sealedAsked(this.#schema, keyId, limit));
    return resealedFrom(found).slice(0, limit);
  }

  async #read(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#connections.read({ text, values });
  }
}

/** Longer than any key can go on after its prefix. */
const BEHIND_ALL_KEYS = '\u{10FFFF}'.repeat(226);
/** The name of a state's object (`objectName`), as its index has it. */
const OBJECT_NAME = `(CASE WHEN a.workspace = '${DEFAULT_WORKSPACE}' THEN a.key ELSE '${S3_WORKSPACE_PREFIX}/' || a.workspace || '/' || a.key END COLLATE "C")`;

/** Byte by byte, as the database does. */
function compareNames(a: Address, b: Address): number {
  return Buffer.compare(Buffer.from(objectName(a)), Buffer.from(objectName(b)));
}

/** The addresses that a query asks for, as a table to be joined with. */
function statesAsked(schema: string, query: Stretch): Wanted {
  const conditions = rangeOf(query);
  const isLocked = `EXISTS (SELECT FROM ${schema}.holder h
    WHERE h.project = a.project AND h.key = a.key AND h.workspace = a.workspace)`;
  const exists =
    query.deleted === true ? 'a.head IS NOT NULL' : 'a.head IS NOT NULL AND a.deleted_at IS NULL';
  const isShown = query.used === true ? 'TRUE' : `((${exists}) OR ${isLocked})`;
  conditions.add(query.locked === true ? isLocked : isShown);
  if (query.search !== undefined) conditions.add('strpos(a.name, ?) > 0', toSearch(query.search));
  const table = `(SELECT a.project, a.key, a.workspace FROM ${schema}.address a ${conditions.where}
    ORDER BY ${query.named === undefined ? 'a.project, a.key, a.workspace' : `a.project, ${OBJECT_NAME}`} ${limitOf(query.limit)}) AS wanted`;
  return { table, values: conditions.values };
}

/** The addresses among which a query looks, whatever they have. */
function rangeOf({ project, keyPrefix, named, after, upTo }: Stretch): Conditions {
  const range = new Conditions();
  const whole = '(a.project, a.key, a.workspace)';
  if (project !== undefined) range.add('a.project = ?', project);
  if (keyPrefix !== undefined) range.add('a.key >= ? AND a.key < ?', keyPrefix, keyPrefix + BEHIND_ALL_KEYS);
  if (after !== undefined) range.add(`${whole} > (?, ?, ?)`, after.project, after.key, after.workspace);
  if (upTo !== undefined) range.add(`${whole} <= (?, ?, ?)`, upTo.project, upTo.key, upTo.workspace);
  if (named === undefined) return range;
  range.add(`${OBJECT_NAME} > ?`, named.after);
  if (named.prefix !== '')
    range.add(`${OBJECT_NAME} >= ? AND ${OBJECT_NAME} < ?`, named.prefix, named.prefix + BEHIND_ALL_KEYS);
  return range;
}

/** The seats of a node, or of all nodes but it. */
function seatsAsked(schema: string, query: { node: string } | { notNode: string }): Statement {
  const [which, node] = 'node' in query ? ['node = $1', query.node] : ['node <> $1', query.notNode];
  return {
    text: `
      SELECT project, key, workspace, waiter, seat, false AS granted FROM ${schema}.place
      WHERE node IS NOT NULL AND ${which}
      UNION ALL
      SELECT project, key, workspace, waiter, seat, true AS granted FROM ${schema}.holder
      WHERE node IS NOT NULL AND NOT accepted AND ${which}`,
    values: [node],
  };
}

/** Statements for all that is sealed under another key; {@link resealedFrom} reads the answers, kind by kind. */
function sealedAsked(schema: string, keyId: string, limit: number): Statement[] {
  return ['body', 'credential', 'holder', 'place', 'house'].map((table) => ({
    text: `SELECT * FROM ${schema}.${table} WHERE key_id <> $1 AND key_id <> '' ${limitOf(limit)}`,
    values: [keyId],
  }));
}

function resealedFrom([
  bodies,
  credentials,
  holders,
  places,
  house,
]: readonly (readonly Row[])[]): Resealed[] {
  return [
    ...(bodies ?? []).map((row) => ({
      kind: 'body' as const,
      id: row['id'] as string,
      keyId: row['key_id'] as string,
      wrappedKey: toBytes(row['wrapped_key']),
    })),
    ...(credentials ?? []).map((row) => ({
      kind: 'credential' as const,
      id: row['id'] as string,
      sealed: toBytes(row['sealed_secret']),
    })),
    ...(house ?? []).map((row) => ({
      kind: 'row-key' as const,
      sealed: toBytes(row['sealed_key']),
    })),
    ...(holders ?? []).map((row) => ({
      kind: 'holder' as const,
      address: ADDRESS.read(row),
      lockId: fromText(row['lock_id']),
      sealed: toBytes(row['info']),
    })),
    ...(places ?? []).map((row) => ({
      kind: 'place' as const,
      address: ADDRESS.read(row),
      waiter: fromText(row['waiter']),
      sealed: toBytes(row['info']),
    })),
  ];
}

/** No address holds NUL, so nothing that does is found. */
function toSearch(text: string): string {
  return text.replaceAll('\0', '\u0001');
}
