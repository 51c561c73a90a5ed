import type { Address } from '../../core/address.ts';
import type { Statement } from './connections.ts';
import type { NewRow } from './rows.ts';

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

/** What to do with a row that is there already: put the new values in the place of the old ones. */
export function orReplace(row: NewRow, key: readonly string[]): string {
  const changed = Object.keys(row).filter((column) => !key.includes(column));
  return `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${changed.map((c) => `${c} = excluded.${c}`).join(', ')}`;
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
/** Whether a row of the table called `name` is about a wanted address. */
export function isWanted(name: string): string {
  return ['project', 'key', 'workspace']
    .map((column) => `${name}.${column} = wanted.${column}`)
    .join(' AND ');
}
