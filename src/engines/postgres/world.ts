import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { AddressCommand } from '../../core/command.ts';
import { releasesAsked } from '../../core/decide.ts';
import { NEW_WORLD } from '../../core/world.ts';
import type { StateSummary } from '../../ports/engine.ts';
import { toRecord } from '../address-record.ts';
import { changedElsewhere, digestOf, ownerOf, sameBytes, type RowKeys } from '../row-keys.ts';
import { hasVersion, NO_VERSIONS, type VersionNumbers } from '../version-numbers.ts';
import type { Row, Statement } from './connection.ts';
import { toText } from './columns.ts';
import { ADDRESS, HOLDER, QUEUE_ENTRY, RECORD, RELEASE, toVersion, type StoredRecord } from './rows.ts';
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
 * Locks the rows of addresses against every other transaction that decides about them. In order, so that two never
 * wait in a ring. @returns rows for those that are there
 */
export function lockAddresses(schema: string, { table, values }: Wanted): Statement {
  return {
    text: `
      SELECT a.project, a.key, a.workspace FROM ${table} JOIN ${schema}.address a ON ${isWanted('a')}
      ORDER BY a.project, a.key, a.workspace FOR UPDATE OF a`,
    values,
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
export function selectWorlds(schema: string, { table, values }: Wanted): Statement[] {
  const records = `${table} JOIN ${schema}.address a ON ${isWanted('a')}`;
  return [
    `SELECT a.*, ${newestVersion(schema)} FROM ${records} ORDER BY a.project, a.key, a.workspace`,
    `SELECT v.* FROM ${records} JOIN ${schema}.version v ON ${isWanted('v')} AND v.number = a.head`,
    `SELECT h.* FROM ${table} JOIN ${schema}.holder h ON ${isWanted('h')} ORDER BY h.fence`,
    `SELECT p.* FROM ${table} JOIN ${schema}.place p ON ${isWanted('p')} ORDER BY p.ticket`,
  ].map((text) => ({ text, values }));
}

/** The number of the newest version that is there, whatever the record says. */
function newestVersion(schema: string): string {
  const of = ['project', 'key', 'workspace'].map((column) => `n.${column} = a.${column}`).join(' AND ');
  return `(SELECT max(n.number) FROM ${schema}.version n WHERE ${of}) AS newest_version`;
}

/** The records of addresses; {@link recordFrom} reads each. */
export function selectRecords(schema: string, { table, values }: Wanted): Statement {
  return {
    text: `SELECT a.*, ${newestVersion(schema)} FROM ${table} JOIN ${schema}.address a ON ${isWanted('a')}`,
    values,
  };
}

/** @throws {EngineFault} where the record was changed */
export function recordFrom(keys: RowKeys, row: Row): StoredRecord {
  const owner = ownerOf(ADDRESS.read(row));
  const record = RECORD.read(keys, owner, row);
  const newest = row['newest_version'];
  // An older copy of the record knows nothing of what was written since.
  if (newest !== null && !hasVersion(record.kept, Number(newest))) throw changedElsewhere('record', owner);
  return record;
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
            text: `SELECT r.* FROM ${WANTED_WITH_ID} JOIN ${schema}.release r ON ${isWanted('r')} AND r.lock_id = wanted.id`,
            values: [...addressArrays(named.map(({ address }) => address)), named.map(({ id }) => id)],
          },
        ]),
    ...latest.map(({ address: { project, key, workspace }, latest }) => ({
      text: `
        SELECT * FROM ${schema}.release WHERE project = $1 AND key = $2 AND workspace = $3
        ORDER BY number DESC LIMIT $4`,
      values: [project, key, workspace, latest],
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
    return { address, ...addressFrom(keys, ownerOf(address), recordFrom(keys, row), rows) };
  });
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
  const digest = digestOf(holders.map((holder) => HOLDER.macOf(keys, owner, holder)));
  if (!sameBytes(digest, record.holders)) throw changedElsewhere('list of holders of the lock', owner);
  if ((record.head === null) !== (rows.head === undefined)) throw changedElsewhere('newest version', owner);
  const head = rows.head === undefined ? null : toVersion(keys, owner, rows.head);
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
