import { isDeepStrictEqual } from 'node:util';
import type { Command, Expected } from '../../../ports/engine.ts';
import type { RowKeys } from '../../row-keys.ts';
import type { Row, Statement } from '../connection.ts';
import { fromText, toText } from '../columns.ts';
import { toEntry } from '../rows.ts';

/** What stands in a row that was made only to be locked; attributes are never this. */
const NOTHING = 'null';

interface EntryName {
  readonly kind: string;
  readonly name: string;
}

/**
 * A statement that locks the entries of which a command expects something, and reads them. An entry that is not there gets
 * a row for as long as the transaction lasts, because only a row can be locked. In one order, so that no two wait for each
 * other.
 */
export function lockEntries(schema: string, commands: readonly Command[]): Statement[] {
  const names = commands.flatMap((command) => {
    const named = entryNameOf(command);
    return named === null || !('expects' in command) || command.expects === undefined ? [] : [named];
  });
  if (names.length === 0) return [];
  return [
    {
      text: `INSERT INTO ${schema}.entry (kind, name, attributes)
        SELECT DISTINCT kind, name, '${NOTHING}' FROM ${TABLE_OF_NAMES} ORDER BY kind, name
        ON CONFLICT (kind, name) DO UPDATE SET kind = excluded.kind RETURNING *`,
      values: valuesOf(names),
    },
  ];
}

/** Takes away the rows that were made only to be locked. */
export function dropUnusedEntries(schema: string, { names }: StoredEntries): Statement[] {
  if (names.length === 0) return [];
  return [
    {
      text: `DELETE FROM ${schema}.entry AS e USING ${TABLE_OF_NAMES}
        WHERE e.kind = wanted.kind AND e.name = wanted.name AND e.attributes = '${NOTHING}'`,
      values: valuesOf(names),
    },
  ];
}

/** What is stored under the names that a transaction has locked, and what its commands make of it. */
export class StoredEntries {
  readonly names: readonly EntryName[];
  readonly #stored: Map<string, Expected>;

  private constructor(stored: readonly (EntryName & { readonly attributes: Expected })[]) {
    this.names = stored;
    this.#stored = new Map(stored.map((entry) => [keyOf(entry), entry.attributes]));
  }

  /**
   * @param rows what {@link lockEntries} returned
   * @throws {EngineFault} where one was changed
   */
  static from(keys: RowKeys, rows: readonly Row[]): StoredEntries {
    return new StoredEntries(
      rows.map((row) => {
        if (row['attributes'] !== NOTHING) return toEntry(keys, row);
        return { kind: row['kind'] as string, name: fromText(row['name']), attributes: null };
      }),
    );
  }

  /** Takes a command in. @returns false, and takes nothing in, where something else is stored than it expects */
  take(command: Command): boolean {
    const named = entryNameOf(command);
    if (named === null) return true;
    const key = keyOf(named);
    if ('expects' in command && command.expects !== undefined) {
      if (!isDeepStrictEqual(this.#stored.get(key) ?? null, command.expects)) return false;
    }
    this.#stored.set(key, command.type === 'put-entry' ? command.entry.attributes : null);
    return true;
  }
}

const TABLE_OF_NAMES = 'unnest($1::text[] COLLATE "C", $2::text[] COLLATE "C") AS wanted (kind, name)';

function valuesOf(names: readonly EntryName[]): readonly (readonly string[])[] {
  return [names.map(({ kind }) => kind), names.map(({ name }) => toText(name))];
}

function entryNameOf(command: Command): EntryName | null {
  if (command.type === 'put-entry') return command.entry;
  return command.type === 'drop-entry' ? command : null;
}

function keyOf({ kind, name }: EntryName): string {
  return `${kind}\n${name}`;
}
