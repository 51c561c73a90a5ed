import { formatAddress, type Address } from '../../core/address.ts';
import type { Instant } from '../../core/instant.ts';
import type { AddressCommand } from '../../core/command.ts';
import { releasesAsked } from '../../core/decide.ts';
import type { Version } from '../../core/world.ts';
import type { StateSummary } from '../../ports/engine.ts';
import type { Row, Statement } from './connection.ts';
import { toText } from './columns.ts';
import { ADDRESS, HOLDER, QUEUE_ENTRY, RECORD, RELEASE, toRecord, VERSION } from './rows.ts';
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
    `SELECT a.* FROM ${records} ORDER BY a.project, a.key, a.workspace`,
    `SELECT v.* FROM ${records} JOIN ${schema}.version v ON ${isWanted('v')} AND v.number = a.head`,
    `SELECT h.* FROM ${table} JOIN ${schema}.holder h ON ${isWanted('h')} ORDER BY h.fence`,
    `SELECT p.* FROM ${table} JOIN ${schema}.place p ON ${isWanted('p')} ORDER BY p.ticket`,
  ].map((text) => ({ text, values }));
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
  found: readonly LoadedAddress[],
  releases: readonly (readonly Row[])[],
): readonly LoadedAddress[] {
  const rowsOf = grouped(releases.flat());
  return found.map((one) => {
    const rows = rowsOf.get(formatAddress(one.address)) ?? [];
    const byNumber = new Map(RELEASE.readAll(rows).map((release) => [release.number, release]));
    const newestLast = [...byNumber.values()].sort((a, b) => a.number - b.number);
    return { ...one, world: { ...one.world, releases: newestLast } };
  });
}

/** An address as its rows say that it is. */
export interface LoadedAddress extends StateSummary {
  /** When it was changed last. */
  readonly changedAt: Instant;
}

/** Puts together what {@link selectWorlds} found, in the order of the addresses. */
export function worldsFrom([records, heads, holders, places]: readonly (readonly Row[])[]): LoadedAddress[] {
  const headOf = new Map<string, Version>();
  for (const row of heads ?? []) headOf.set(nameOf(row), VERSION.read(row));
  const holdersOf = grouped(holders ?? []);
  const placesOf = grouped(places ?? []);
  return (records ?? []).map((row) => {
    const name = nameOf(row);
    return {
      address: ADDRESS.read(row),
      changedAt: Number(row['changed_at']),
      world: {
        record: toRecord(RECORD.read(row), headOf.get(name) ?? null),
        holders: HOLDER.readAll(holdersOf.get(name) ?? []),
        line: QUEUE_ENTRY.readAll(placesOf.get(name) ?? []),
        releases: [],
      },
    };
  });
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
