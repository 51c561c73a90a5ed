import type { Address } from '../../../core/address.ts';
import type { Statement } from '../connection.ts';
import type { NewRow } from '../columns.ts';

/** The protocol numbers a statement's values with 16 bits. */
const VALUES_MAX = 60_000;

/** INSERTs for rows that all have the same columns, as few as they fit into. */
export function insertAll(table: string, rows: readonly NewRow[], onConflict = ''): Statement[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = Object.keys(first);
  const rowsMax = Math.floor(VALUES_MAX / columns.length);
  const statements: Statement[] = [];
  for (let from = 0; from < rows.length; from += rowsMax) {
    const some = rows.slice(from, from + rowsMax);
    const tuples = some.map(
      (_, row) => `(${columns.map((__, at) => `$${row * columns.length + at + 1}`).join(', ')})`,
    );
    statements.push({
      text: `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${tuples.join(', ')} ${onConflict}`,
      values: some.flatMap((row) => columns.map((column) => row[column])),
    });
  }
  return statements;
}

/** The same, and a row that is there already by its key gets the new values. */
export function replaceAll(table: string, key: readonly string[], rows: readonly NewRow[]): Statement[] {
  const changed = Object.keys(rows[0] ?? {}).filter((column) => !key.includes(column));
  const set = changed.map((column) => `${column} = excluded.${column}`).join(', ');
  return insertAll(table, rows, `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set}`);
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
    },
  ];
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
export const WANTED_WITH_ID =
  'unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (project, key, workspace, id)';
/** One address, its three parts given as they are. */
export const WANTED_ALONE = '(SELECT $1::text AS project, $2::text AS key, $3::text AS workspace) AS wanted';
/** Whether a row of the table called `name` is about a wanted address. */
export function isWanted(name: string): string {
  return ['project', 'key', 'workspace']
    .map((column) => `${name}.${column} = wanted.${column}`)
    .join(' AND ');
}
