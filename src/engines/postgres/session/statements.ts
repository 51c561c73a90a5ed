import type { Address } from '../../../core/address.ts';
import type { Statement } from '../connection.ts';
import { toBuffer, type NewRow } from '../columns.ts';

/**
 * INSERTs rows that all have the same columns, in their order. They go as one value, JSON, so that the text is the same
 * however many there are.
 * @param first a function that is called before the first row is made
 */
export function insertAll(
  table: string,
  rows: readonly NewRow[],
  { first: call, onConflict = '' }: { readonly first?: string; readonly onConflict?: string } = {},
): Statement[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = Object.keys(first).join(', ');
  // What a subquery calls is called for its row, and a row of the table is made of that and one of the rows given.
  const before = call === undefined ? '' : `(SELECT ${call}) AS called CROSS JOIN `;
  return [
    {
      text: `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${before}json_populate_recordset(NULL::${table}, $1::json) ${onConflict}`,
      values: [JSON.stringify(rows, inJson)],
      prepared: true,
    },
  ];
}

/** Bytes are written as PostgreSQL reads them. */
function inJson(this: Readonly<Record<string, unknown>>, column: string, value: unknown): unknown {
  const given = this[column];
  return given instanceof Uint8Array ? `\\x${toBuffer(given).toString('hex')}` : value;
}

/** The same, and a row that is there already by its key gets the new values. */
export function replaceAll(table: string, key: readonly string[], rows: readonly NewRow[]): Statement[] {
  const changed = Object.keys(rows[0] ?? {}).filter((column) => !key.includes(column));
  const set = changed.map((column) => `${column} = excluded.${column}`).join(', ');
  return insertAll(table, rows, { onConflict: `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set}` });
}

/** Deletes rows by their addresses and what tells them apart there. */
export function deleteAll(
  table: string,
  idColumn: string,
  rows: readonly { readonly address: Address; readonly id: string }[],
): Statement[] {
  if (rows.length === 0) return [];
  return [
    {
      text: `DELETE FROM ${table} AS t
        USING ${WANTED_WITH_ID}
        WHERE ${isWanted('t')} AND t.${idColumn} = wanted.id`,
      values: [...addressArrays(rows.map(({ address }) => address)), rows.map(({ id }) => id)],
      prepared: true,
    },
  ];
}

/**
 * One statement in the place of all that are prepared, which takes a fraction of the time of many. They see the same moment, so no two
 * may touch the same row.
 */
export function together(statements: readonly Statement[]): Statement[] {
  const prepared = statements.filter((statement) => statement.prepared === true);
  const others = statements.filter((statement) => statement.prepared !== true);
  if (prepared.length < 2) return [...statements];
  const values: unknown[] = [];
  const changes = prepared.map(({ text, values: own = [] }, at) => {
    const before = values.length;
    values.push(...own);
    return `change_${at} AS (${text.replaceAll(/\$(\d+)/g, (_, place) => `$${before + Number(place)}`)})`;
  });
  return [...others, { text: `WITH ${changes.join(', ')} SELECT`, values, prepared: true }];
}

/** Three arrays for {@link WANTED}. */
export function addressArrays(addresses: readonly Address[]): readonly (readonly string[])[] {
  return [
    addresses.map(({ project }) => project),
    addresses.map(({ key }) => key),
    addresses.map(({ workspace }) => workspace),
  ];
}

/** The addresses of {@link addressArrays}, to be joined with. */
export const WANTED = 'unnest($1::text[], $2::text[], $3::text[]) AS wanted (project, key, workspace)';
/** The same, each with what tells a row apart at its address. */
const WANTED_WITH_ID =
  'unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (project, key, workspace, id)';
/** The same, each with the lock IDs whose releases are asked for, as a JSON array. */
export const WANTED_WITH_NAMES =
  'unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (project, key, workspace, released)';
export const WANTED_ALONE_WITH_NAMES =
  '(SELECT $1::text AS project, $2::text AS key, $3::text AS workspace, $4::text AS released) AS wanted';
/** One address, its three parts given as they are. */
export const WANTED_ALONE = '(SELECT $1::text AS project, $2::text AS key, $3::text AS workspace) AS wanted';
/** Whether a row of the table called `name` is about a wanted address. */
export function isWanted(name: string): string {
  return ['project', 'key', 'workspace']
    .map((column) => `${name}.${column} = wanted.${column}`)
    .join(' AND ');
}
