import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { AddressCommand } from '../../core/command.ts';
import { releasesAsked } from '../../core/decide.ts';
import { NEW_WORLD, type Holder, type Version } from '../../core/world.ts';
import type { StateSummary } from '../../ports/engine.ts';
import { toRecord } from '../address-record.ts';
import { changedElsewhere, digestOf, ownerOf, sameBytes, type RowKeys } from '../row-keys.ts';
import { hasVersion, NO_VERSIONS, type VersionNumbers } from '../version-numbers.ts';
import { SET_LIMITS, type Row, type Statement } from './connection.ts';
import { toText } from './columns.ts';
import {
  ADDRESS,
  HOLDER,
  QUEUE_ENTRY,
  RECORD,
  RELEASE,
  toVersion,
  VERSION,
  type StoredRecord,
} from './rows.ts';
import {
  addressArrays,
  isWanted,
  WANTED,
  WANTED_ALONE,
  WANTED_ALONE_WITH_NAMES,
  WANTED_WITH_NAMES,
} from './session/statements.ts';

/** Gives the SQL that tells the time. */
export type ClockSql = () => string;

/** The database's clock, in milliseconds: read when the statement gets there, and not when its transaction began. */
export const databaseClock: ClockSql = () => 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** Makes the rows of addresses that have none. In order, so that two transactions that do so never wait in a ring. */
export function makeAddresses(schema: string, addresses: readonly Address[]): Statement {
  return {
    text: `
      INSERT INTO ${schema}.address (project, key, workspace, name)
      SELECT wanted.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (project, key, workspace, name)
      ORDER BY project COLLATE "C", key COLLATE "C", workspace COLLATE "C"
      ON CONFLICT DO NOTHING
      RETURNING project, key, workspace`,
    values: [...addressArrays(addresses), addresses.map(formatAddress)],
  };
}

/**
 * Locks the rows of addresses against every other transaction that decides about them, and reads all that belongs to them. In order,
 * so that two never wait in a ring. The limits are set before the first lock, as a part of the same statement.
 * @param addresses with the lock IDs whose releases are asked for
 * @returns rows for those that are there, each with the moment `now` at which it was locked. Whoever had to wait sees a record as it
 *   became meanwhile, but what belongs to it as it was when the statement began: such a row is not `fresh`, and asked for again
 */
export function lockRecords(schema: string, addresses: ReleasesNamed, clock: string): Statement {
  const asked = [...addresses.values()].some(({ lockIds }) => lockIds.length > 0);
  const wanted = withNames(addresses, asked);
  return {
    text: `
      WITH limits AS MATERIALIZED (SELECT ${SET_LIMITS}), locked AS MATERIALIZED (
        SELECT ${columnsOf('a', RECORD.names)}, a.ctid AS place${asked ? ', wanted.released' : ''}
        FROM limits CROSS JOIN ${wanted.table} JOIN ${schema}.address a ON ${isWanted('a')}
        ORDER BY a.project, a.key, a.workspace FOR UPDATE OF a
      ) SELECT ${columnsOf('a', RECORD.names)}, ${belongings(schema)}, ${asked ? `${releasesNamed(schema)}, ` : ''}
        (SELECT s.ctid FROM ${schema}.address s WHERE ${isOf('s')}) = a.place AS fresh, ${clock} AS now FROM locked a`,
    values: wanted.values,
    prepared: true,
  };
}

/** Addresses by their names, each with the lock IDs whose releases are asked for. */
export type ReleasesNamed = ReadonlyMap<
  string,
  { readonly address: Address; readonly lockIds: readonly string[] }
>;

function withNames(addresses: ReleasesNamed, asked: boolean): Wanted {
  const { table, values } = theseAddresses([...addresses.values()].map(({ address }) => address));
  if (!asked) return { table, values };
  const ids = [...addresses.values()].map(({ lockIds }) => JSON.stringify(lockIds.map(toText)));
  return ids.length === 1
    ? { table: WANTED_ALONE_WITH_NAMES, values: [...values, ids[0]] }
    : { table: WANTED_WITH_NAMES, values: [...values, ids] };
}

/** Some addresses, as a table to be joined with. */
export interface Wanted {
  readonly table: string;
  readonly values: readonly unknown[];
}

/** The addresses of a list. One alone is told as such, so that the planner knows to look into the index. */
export function theseAddresses(addresses: readonly Address[]): Wanted {
  const [only] = addresses;
  if (only === undefined || addresses.length > 1) return { table: WANTED, values: addressArrays(addresses) };
  return { table: WANTED_ALONE, values: [only.project, only.key, only.workspace] };
}

/** The records of addresses, in order, with all that belongs to them. {@link worldsFrom} reads the answer. */
export function selectWorlds(schema: string, wanted: Wanted): Statement {
  return selectRecords(schema, wanted, belongings(schema));
}

/** The same without the lines: as much as it takes to know the newest version. */
export function selectLive(schema: string, wanted: Wanted): Statement {
  return selectRecords(schema, wanted, `${headOf(schema)}, ${holdersOf(schema)}`);
}

/** The records of addresses, in order, each with its newest version. */
export function selectHeads(schema: string, wanted: Wanted): Statement {
  return selectRecords(schema, wanted, headOf(schema));
}

function selectRecords(schema: string, { table, values }: Wanted, more: string): Statement {
  return {
    text: `SELECT ${columnsOf('a', RECORD.names)}, ${more} FROM ${table} JOIN ${schema}.address a ON ${isWanted('a')}
      ORDER BY a.project, a.key, a.workspace`,
    values,
    prepared: true,
  };
}

/** What belongs to the record of an address `a`: newest version, holders, and line, so that one statement sees it all. */
function belongings(schema: string): string {
  return `${headOf(schema)}, ${holdersOf(schema)},
    (SELECT json_agg(${QUEUE_ENTRY.jsonOf('p')} ORDER BY p.ticket) FROM ${schema}.place p WHERE ${isOf('p')}) AS places`;
}

function holdersOf(schema: string): string {
  return `(SELECT json_agg(${HOLDER.jsonOf('h')} ORDER BY h.fence) FROM ${schema}.holder h WHERE ${isOf('h')}) AS holders_there`;
}

/** The version that the record calls the newest, and the number of the newest that is there, whatever the record says. */
function headOf(schema: string): string {
  return `(SELECT ${VERSION.jsonOf('v')} FROM ${schema}.version v WHERE ${isOf('v')} AND v.number = a.head) AS newest,
    (SELECT max(n.number) FROM ${schema}.version n WHERE ${isOf('n')}) AS newest_version`;
}

function releasesNamed(schema: string): string {
  return `(SELECT json_agg(${RELEASE.jsonOf('r')}) FROM json_array_elements_text(a.released::json) AS named (id)
    JOIN ${schema}.release r ON ${isOf('r')} AND r.lock_id = named.id) AS releases`;
}

/** Whether a row of the table called `name` belongs to the record `a`. */
function isOf(name: string): string {
  return ['project', 'key', 'workspace'].map((column) => `${name}.${column} = a.${column}`).join(' AND ');
}

/** The columns that name an address, and others. */
function columnsOf(table: string, names: readonly string[]): string {
  return [...ADDRESS.names, ...names].map((name) => `${table}.${name}`).join(', ');
}

/**
 * The record of an address.
 * @param row of {@link selectHeads}, or another that has as much
 * @throws {EngineFault} where it was changed
 */
export function recordFrom(keys: RowKeys, row: Row): StoredRecord {
  const owner = ownerOf(ADDRESS.read(row));
  const record = RECORD.read(keys, owner, row);
  const newest = row['newest_version'];
  // An older copy of the record knows nothing of what was written since.
  if (newest !== null && !hasVersion(record.kept, Number(newest))) throw changedElsewhere('record', owner);
  return record;
}

/** The version that a row of {@link selectHeads} tells of; null for none. @throws {EngineFault} where it was changed */
export function headFrom(keys: RowKeys, owner: string, row: Row): Version | null {
  const newest = row['newest'] as readonly unknown[] | null;
  return newest === null ? null : toVersion(keys, owner, VERSION.fromJson(newest));
}

/**
 * The holders that a row tells of.
 * @throws {EngineFault} where one was changed, or they are not those that the record names
 */
export function holdersFrom(keys: RowKeys, owner: string, record: StoredRecord, row: Row): readonly Holder[] {
  const holders = HOLDER.readAll(keys, owner, rowsIn(HOLDER, row['holders_there']));
  if (!areHolders(keys, owner, record, holders)) throw changedElsewhere('list of holders of the lock', owner);
  return holders;
}

/** Whether a record names these holders, all of them and no others. */
export function areHolders(
  keys: RowKeys,
  owner: string,
  record: StoredRecord,
  holders: readonly Holder[],
): boolean {
  return sameBytes(digestOf(holders.map((holder) => HOLDER.macOf(keys, owner, holder))), record.holders);
}

/** Null where there is none. */
function rowsIn(table: { fromJson(values: readonly unknown[]): Row }, json: unknown): readonly Row[] {
  return ((json ?? []) as readonly (readonly unknown[])[]).map((values) => table.fromJson(values));
}

/** The addresses of commands, and the lock IDs whose releases those ask for. */
export function releasesNamedBy(
  addresses: readonly Address[],
  commands: readonly AddressCommand[],
): ReleasesNamed {
  const named = new Map(
    addresses.map((address) => [formatAddress(address), { address, lockIds: [] as string[] }]),
  );
  for (const command of commands) {
    const query = releasesAsked(command);
    if (query !== null && 'lockId' in query)
      named.get(formatAddress(command.address))?.lockIds.push(query.lockId);
  }
  return named;
}

/** The latest releases, where commands ask for them. {@link worldsFrom} reads the answers. */
export function selectLatestReleases(schema: string, commands: readonly AddressCommand[]): Statement[] {
  return commands.flatMap((command) => {
    const query = releasesAsked(command);
    if (query === null || !('latest' in query)) return [];
    const { project, key, workspace } = command.address;
    return [
      {
        text: `
          SELECT ${columnsOf('r', RELEASE.names)} FROM ${schema}.release r WHERE project = $1 AND key = $2 AND workspace = $3
          ORDER BY number DESC LIMIT $4`,
        values: [project, key, workspace, query.latest],
        prepared: true as const,
      },
    ];
  });
}

/** An address as its rows say that it is. */
export interface LoadedAddress extends StateSummary {
  /** The versions that are kept. */
  readonly kept: VersionNumbers;
  /** When it was changed last. */
  readonly changedAt: Instant;
  /** The audit record of what was decided last. */
  readonly audited: string;
}

/**
 * What {@link selectWorlds} or {@link lockRecords} found, in its order.
 * @param made addresses whose records this transaction has just made, and not filled yet
 * @param latest what {@link selectLatestReleases} found
 * @throws {EngineFault} where a row was changed, added or taken away
 */
export function worldsFrom(
  keys: RowKeys,
  rows: readonly Row[],
  made: ReadonlySet<string> = new Set(),
  latest: readonly Row[] = [],
): LoadedAddress[] {
  const latestOf = grouped(latest);
  return rows.map((row) => {
    const address = ADDRESS.read(row);
    const name = formatAddress(address);
    if (made.has(name)) return { address, changedAt: 0, kept: NO_VERSIONS, audited: '', world: NEW_WORLD };
    return { address, ...addressFrom(keys, ownerOf(address), row, latestOf.get(name) ?? []) };
  });
}

function addressFrom(
  keys: RowKeys,
  owner: string,
  row: Row,
  latest: readonly Row[],
): Omit<LoadedAddress, 'address'> {
  const record = recordFrom(keys, row);
  const holders = holdersFrom(keys, owner, record, row);
  const head = headFrom(keys, owner, row);
  if (record.head !== (head?.number ?? null)) throw changedElsewhere('newest version', owner);
  const line = QUEUE_ENTRY.readAll(keys, owner, rowsIn(QUEUE_ENTRY, row['places']));
  const releases = RELEASE.readAll(keys, owner, [...rowsIn(RELEASE, row['releases']), ...latest]);
  const byNumber = new Map(releases.map((release) => [release.number, release]));
  return {
    changedAt: record.changedAt,
    kept: record.kept,
    audited: record.audited,
    world: {
      record: toRecord(record, head),
      holders,
      line,
      releases: [...byNumber.values()].toSorted((a, b) => a.number - b.number),
    },
  };
}

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = formatAddress(ADDRESS.read(row));
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}
