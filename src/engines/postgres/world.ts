import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { AddressCommand } from '../../core/command.ts';
import { releasesAsked } from '../../core/decide.ts';
import { NEW_WORLD, type Holder, type Version } from '../../core/world.ts';
import type { StateSummary } from '../../ports/engine.ts';
import { toRecord } from '../address-record.ts';
import { changedElsewhere, digestOf, ownerOf, sameBytes, type RowKeys } from '../row-keys.ts';
import { hasVersion, NO_VERSIONS, type VersionNumbers } from '../version-numbers.ts';
import type { Row, Statement } from './connection.ts';
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
import { addressArrays, isWanted, WANTED, WANTED_ALONE, WANTED_WITH_ID } from './session/statements.ts';

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
 * Locks the rows of addresses against every other transaction that decides about them, and reads them. In order, so that two never
 * wait in a ring. @returns rows for those that are there, each with the moment `now` at which it was locked
 */
export function lockRecords(schema: string, { table, values }: Wanted, clock: string): Statement {
  return {
    text: `
      WITH locked AS MATERIALIZED (
        SELECT ${columnsOf('a', RECORD.names)} FROM ${table} JOIN ${schema}.address a ON ${isWanted('a')}
        ORDER BY a.project, a.key, a.workspace FOR UPDATE OF a
      ) SELECT *, ${clock} AS now FROM locked`,
    values,
    prepared: true,
  };
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

/** The statements that {@link worldsFrom} reads the answers of. */
export function selectWorlds(schema: string, wanted: Wanted): Statement[] {
  return [selectRecords(schema, wanted), ...selectBelongings(schema, wanted)];
}

/** What belongs to the records of addresses: newest versions, holders, and lines. */
export function selectBelongings(schema: string, wanted: Wanted): Statement[] {
  const { table, values } = wanted;
  const lines = `SELECT ${columnsOf('p', QUEUE_ENTRY.names)} FROM ${table} JOIN ${schema}.place p ON ${isWanted('p')} ORDER BY p.ticket`;
  return [
    selectHeads(schema, wanted),
    selectHolders(schema, wanted),
    { text: lines, values, prepared: true },
  ];
}

export function selectHolders(schema: string, { table, values }: Wanted): Statement {
  const text = `SELECT ${columnsOf('h', HOLDER.names)} FROM ${table} JOIN ${schema}.holder h ON ${isWanted('h')} ORDER BY h.fence`;
  return { text, values, prepared: true };
}

/** The records of addresses, in order. */
export function selectRecords(schema: string, { table, values }: Wanted): Statement {
  return {
    text: `SELECT ${columnsOf('a', RECORD.names)} FROM ${table} JOIN ${schema}.address a ON ${isWanted('a')}
      ORDER BY a.project, a.key, a.workspace`,
    values,
    prepared: true,
  };
}

/** A row for each address: the version that its record calls the newest, and the number of the newest that is there. */
export function selectHeads(schema: string, { table, values }: Wanted): Statement {
  const version = VERSION.names.map((name) => `v.${name}`).join(', ');
  const isOfRecord = ['project', 'key', 'workspace']
    .map((column) => `v.${column} = a.${column}`)
    .join(' AND ');
  return {
    text: `SELECT ${columnsOf('a', [])}, ${newestVersion(schema)}, ${version} FROM ${table} JOIN ${schema}.address a
      ON ${isWanted('a')} LEFT JOIN ${schema}.version v ON ${isOfRecord} AND v.number = a.head`,
    values,
    prepared: true,
  };
}

/** The number of the newest version that is there, whatever the record says. */
function newestVersion(schema: string): string {
  const of = ['project', 'key', 'workspace'].map((column) => `n.${column} = a.${column}`).join(' AND ');
  return `(SELECT max(n.number) FROM ${schema}.version n WHERE ${of}) AS newest_version`;
}

/** The columns that name an address, and others. */
function columnsOf(table: string, names: readonly string[]): string {
  return [...ADDRESS.names, ...names].map((name) => `${table}.${name}`).join(', ');
}

/**
 * The record of an address.
 * @param head what {@link selectHeads} found of it
 * @throws {EngineFault} where it was changed
 */
export function recordFrom(keys: RowKeys, row: Row, head: Row | undefined): StoredRecord {
  const owner = ownerOf(ADDRESS.read(row));
  const record = RECORD.read(keys, owner, row);
  const newest = head?.['newest_version'] ?? null;
  // An older copy of the record knows nothing of what was written since.
  if (newest !== null && !hasVersion(record.kept, Number(newest))) throw changedElsewhere('record', owner);
  return record;
}

/** The version that a row of {@link selectHeads} tells of; null for none. @throws {EngineFault} where it was changed */
export function headFrom(keys: RowKeys, owner: string, row: Row | undefined): Version | null {
  return row === undefined || row['number'] === null ? null : toVersion(keys, owner, row);
}

/** The releases that commands ask for. {@link withReleases} reads the answers. */
export function selectReleases(schema: string, commands: readonly AddressCommand[]): Statement[] {
  const asked = commands.flatMap((command) => {
    const query = releasesAsked(command);
    return query === null ? [] : [{ address: command.address, query }];
  });
  const named = asked.flatMap(({ address, query }) =>
    'lockId' in query ? [{ address, id: toText(query.lockId) }] : [],
  );
  const latest = asked.flatMap(({ address, query }) =>
    'latest' in query ? [{ address, latest: query.latest }] : [],
  );
  return [
    ...(named.length === 0
      ? []
      : [
          {
            text: `SELECT ${columnsOf('r', RELEASE.names)} FROM ${WANTED_WITH_ID}
              JOIN ${schema}.release r ON ${isWanted('r')} AND r.lock_id = wanted.id`,
            values: [...addressArrays(named.map(({ address }) => address)), named.map(({ id }) => id)],
            prepared: true as const,
          },
        ]),
    ...latest.map(({ address: { project, key, workspace }, latest }) => ({
      text: `
        SELECT ${columnsOf('r', RELEASE.names)} FROM ${schema}.release r WHERE project = $1 AND key = $2 AND workspace = $3
        ORDER BY number DESC LIMIT $4`,
      values: [project, key, workspace, latest],
      prepared: true as const,
    })),
  ];
}

/** What {@link selectWorlds} and {@link selectReleases} found, put together. */
export function withReleases(
  keys: RowKeys,
  found: readonly LoadedAddress[],
  releases: readonly (readonly Row[])[],
): readonly LoadedAddress[] {
  const rowsOf = grouped(releases.flat());
  return found.map((one) => {
    const rows = rowsOf.get(formatAddress(one.address)) ?? [];
    const all = RELEASE.readAll(keys, ownerOf(one.address), rows);
    const byNumber = new Map(all.map((release) => [release.number, release]));
    const newestLast = [...byNumber.values()].sort((a, b) => a.number - b.number);
    return { ...one, world: { ...one.world, releases: newestLast } };
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
 * Puts together what {@link selectWorlds} found, in the order of the addresses.
 * @param made addresses whose records this transaction has just made, and not filled yet
 * @throws {EngineFault} where a row was changed, added or taken away
 */
export function worldsFrom(
  keys: RowKeys,
  [records, heads, holders, places]: readonly (readonly Row[])[],
  made: ReadonlySet<string> = new Set(),
): LoadedAddress[] {
  const headOf = new Map((heads ?? []).map((row) => [nameOf(row), row]));
  const holdersOf = grouped(holders ?? []);
  const placesOf = grouped(places ?? []);
  return (records ?? []).map((row) => {
    const address = ADDRESS.read(row);
    const name = formatAddress(address);
    if (made.has(name)) return { address, changedAt: 0, kept: NO_VERSIONS, audited: '', world: NEW_WORLD };
    const rows = { head: headOf.get(name), holders: holdersOf.get(name), places: placesOf.get(name) };
    return { address, ...addressFrom(keys, ownerOf(address), recordFrom(keys, row, rows.head), rows) };
  });
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

interface RowsOfAddress {
  readonly head: Row | undefined;
  readonly holders: readonly Row[] | undefined;
  readonly places: readonly Row[] | undefined;
}

function addressFrom(
  keys: RowKeys,
  owner: string,
  record: StoredRecord,
  rows: RowsOfAddress,
): Omit<LoadedAddress, 'address'> {
  const holders = HOLDER.readAll(keys, owner, rows.holders ?? []);
  if (!areHolders(keys, owner, record, holders)) throw changedElsewhere('list of holders of the lock', owner);
  const head = headFrom(keys, owner, rows.head);
  if (record.head !== (head?.number ?? null)) throw changedElsewhere('newest version', owner);
  const line = QUEUE_ENTRY.readAll(keys, owner, rows.places ?? []);
  return {
    changedAt: record.changedAt,
    kept: record.kept,
    audited: record.audited,
    world: { record: toRecord(record, head), holders, line, releases: [] },
  };
}

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = nameOf(row);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}

function nameOf(row: Row): string {
  return formatAddress(ADDRESS.read(row));
}
