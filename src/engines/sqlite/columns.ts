import type { RowKeys } from '../row-keys.ts';
import type { SqlValue } from './files/driver.ts';

/** A row as SQLite gives it: values by column. */
export type Row = Readonly<Record<string, SqlValue>>;

/** With memory behind it: what has none is bound as null by Node 22. */
export const NO_BYTES: Uint8Array = new Uint8Array(1).subarray(0, 0);

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
    write: (value) => bound(value ?? NO_BYTES),
  };
}

/** An integer beyond what 64 signed bits hold, as text. */
export function large(name: string): Column<bigint> {
  return { name, read: (stored) => BigInt(stored as string), write: String };
}

/** Bytes as they are. */
export function bytes(name: string): Column<Uint8Array> {
  return {
    name,
    read: (stored) => stored as Uint8Array,
    write: bound,
  };
}

function bound(value: Uint8Array): Uint8Array {
  return value.length === 0 ? NO_BYTES : value;
}

export function json<T>(name: string): Column<T> {
  return {
    name,
    read: (stored) => JSON.parse(stored as string) as T,
    write: (value) => JSON.stringify(value),
  };
}

/** The same, and null. */
export function orNull<T>({ name, read, write }: Column<T>): Column<T | null> {
  return {
    name,
    read: (stored) => (stored === null ? null : read(stored)),
    write: (value) => (value === null ? null : write(value)),
  };
}

/** The columns of a row, spelled once: their list for SQL, and a value read from them or bound to them. */
export class Table<T extends object> {
  /** The names, as SQL lists them. */
  readonly list: string;
  /** The names, in their order. */
  readonly names: readonly string[];
  readonly #columns: readonly (Column<unknown> & { readonly key: string })[];
  /** Has every property already, so that values of one kind have one shape, which is faster to make and to use. */
  readonly #shape: Readonly<Record<string, unknown>>;

  constructor(columns: Columns<T>) {
    const entries: readonly [string, Column<unknown>][] = Object.entries(columns);
    this.#columns = entries.map(([key, column]) => ({ key, ...column }));
    this.names = this.#columns.map(({ name }) => name);
    this.list = this.names.join(', ');
    this.#shape = Object.fromEntries(this.#columns.map(({ key }) => [key, null]));
  }

  /** @param row has at least these columns */
  read(row: unknown): T {
    return this.of(this.stored(row));
  }

  /** What stands in these columns of a row, in the order of {@link names}. */
  stored(row: unknown): SqlValue[] {
    return this.names.map((name) => (row as Row)[name] as SqlValue);
  }

  /** @param stored as {@link stored} gives it */
  of(stored: readonly SqlValue[]): T {
    const value: Record<string, unknown> = { ...this.#shape };
    for (const [index, { key, read }] of this.#columns.entries())
      value[key] = read(stored[index] as SqlValue);
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

/** The code of the row that says this, which was read or written before by a table that remembers. */
export function macOf(keys: RowKeys, value: object): Uint8Array {
  const mac = keys.macs.get(value);
  if (mac === undefined) throw new Error('this was neither read from a row nor written to one');
  return mac;
}

/** A table whose rows carry a code that only a server with the key of the rows can make. */
export class AuthenticatedTable<T extends object> {
  /** The names, as SQL lists them; the code comes last. */
  readonly list: string;
  /** The names, each set to a value that is bound. */
  readonly assignments: string;
  readonly #kind: string;
  readonly #table: Table<T>;
  readonly #remembers: boolean;

  /**
   * @param kind what a row is called in a fault
   * @param remembers whether {@link macOf} is to know the codes; the collector of garbage pays for each
   */
  constructor(kind: string, columns: Columns<T>, { remembers = false }: { remembers?: boolean } = {}) {
    this.#kind = kind;
    this.#remembers = remembers;
    this.#table = new Table(columns);
    this.list = `${this.#table.list}, mac`;
    this.assignments = [...this.#table.names, 'mac'].map((name) => `${name} = ?`).join(', ');
  }

  /**
   * @param owner whose row it is
   * @param row has at least these columns
   * @throws {EngineFault} where it is not what a server with this key has written
   */
  read(keys: RowKeys, owner: string, row: unknown): T {
    const stored = this.#table.stored(row);
    const mac = this.#verified(keys, owner, stored, row);
    const value = this.#table.of(stored);
    if (this.#remembers) keys.macs.set(value, mac);
    return value;
  }

  /**
   * The code of a row, of which nothing else is asked.
   * @throws {EngineFault} as {@link read}
   */
  verify(keys: RowKeys, owner: string, row: unknown): Uint8Array {
    return this.#verified(keys, owner, this.#table.stored(row), row);
  }

  #verified(keys: RowKeys, owner: string, stored: readonly SqlValue[], row: unknown): Uint8Array {
    const { mac } = row as Row;
    keys.verify(this.#kind, owner, stored, mac);
    return mac as Uint8Array;
  }

  readAll(keys: RowKeys, owner: string, rows: readonly unknown[]): T[] {
    return rows.map((row) => this.read(keys, owner, row));
  }

  /** What a row says, whoever wrote it: only for rows that nobody has authenticated yet. */
  unverified(row: unknown): T {
    return this.#table.read(row);
  }

  /** The values to be bound, in the order of {@link list}. */
  values(keys: RowKeys, owner: string, value: T): SqlValue[] {
    const values = this.#table.values(value);
    const mac = keys.mac(this.#kind, owner, values);
    if (this.#remembers) keys.macs.set(value, mac);
    values.push(mac);
    return values;
  }
}

/** INSERT with a value to be bound for each column. */
export function insert(table: string, columns: string): string {
  return `INSERT INTO ${table} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '?')})`;
}
