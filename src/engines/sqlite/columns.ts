import type { SqlValue } from './files/driver.ts';

/** A row as SQLite gives it: values by column. */
export type Row = Readonly<Record<string, SqlValue>>;

const NO_BYTES = new Uint8Array();

/** One column: its name, and how a value is kept in it. */
export interface Column<T> {
  readonly name: string;
  readonly read: (stored: SqlValue) => T;
  readonly write: (value: T) => SqlValue;
}

/** A column for each property of what a row says, in the order in which they are bound. */
export type Columns<T> = { readonly [Key in keyof T]-?: Column<T[Key]> };

/** What SQLite keeps as it is. */
export function plain<T extends SqlValue>(name: string): Column<T> {
  return { name, read: (stored) => stored as T, write: (value) => value };
}

/** SQLite knows no boolean. */
export function flag(name: string): Column<boolean> {
  return { name, read: (stored) => stored === 1, write: Number };
}

/** Sealed bytes, which are never empty; null as no bytes. */
export function sealed(name: string): Column<Uint8Array | null> {
  return {
    name,
    read: (stored) => ((stored as Uint8Array).length === 0 ? null : (stored as Uint8Array)),
    write: (value) => value ?? NO_BYTES,
  };
}

/** An integer beyond what 64 signed bits hold, as text. */
export function large(name: string): Column<bigint> {
  return { name, read: (stored) => BigInt(stored as string), write: String };
}

export function json<T>(name: string): Column<T> {
  return {
    name,
    read: (stored) => JSON.parse(stored as string) as T,
    write: (value) => JSON.stringify(value),
  };
}

/** The columns of a row, spelled once: their list for SQL, and a value read from them or bound to them. */
export class Table<T extends object> {
  /** The names, as SQL lists them. */
  readonly list: string;
  /** The names, each set to a value that is bound. */
  readonly assignments: string;
  readonly #columns: readonly (Column<unknown> & { readonly key: string })[];
  /** Has every property already, so that values of one kind have one shape, which is faster to make and to use. */
  readonly #shape: Readonly<Record<string, unknown>>;

  constructor(columns: Columns<T>) {
    const entries: readonly [string, Column<unknown>][] = Object.entries(columns);
    this.#columns = entries.map(([key, column]) => ({ key, ...column }));
    const names = this.#columns.map(({ name }) => name);
    this.list = names.join(', ');
    this.assignments = names.map((name) => `${name} = ?`).join(', ');
    this.#shape = Object.fromEntries(this.#columns.map(({ key }) => [key, null]));
  }

  /** @param row has at least these columns */
  read(row: unknown): T {
    const value: Record<string, unknown> = { ...this.#shape };
    for (const { key, name, read } of this.#columns) value[key] = read((row as Row)[name] as SqlValue);
    return value as T;
  }

  readAll(rows: readonly unknown[]): T[] {
    return rows.map((row) => this.read(row));
  }

  /** The values to be bound, in the order of {@link list}. */
  values(value: T): SqlValue[] {
    return this.#columns.map(({ key, write }) => write((value as Record<string, unknown>)[key]));
  }
}
