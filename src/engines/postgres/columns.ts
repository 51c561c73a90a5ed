import type { RowKeys, StoredValue } from '../row-keys.ts';
import type { Row } from './connection.ts';

/** A row to be: values by column. */
export type NewRow = Readonly<Record<string, unknown>>;
/** Reads the id of the master key that something small was sealed under. */
export type KeyIdOf = (sealed: Uint8Array) => string;

/** One column: its name, and how a value is kept in it. */
export interface Column<T> {
  readonly name: string;
  /** What JSON cannot hold as it is: bytes go in hexadecimal, and large integers as text. */
  readonly inJson?: 'hex' | 'text';
  readonly read: (stored: unknown) => T;
  readonly write: (value: T) => unknown;
}

type InJson = Pick<Column<unknown>, 'name' | 'inJson'>;

/** A column for each property of what a row says. */
export type Columns<T> = { readonly [Key in keyof T]-?: Column<T[Key]> };

/** Columns whose values follow from the others', for an index to find rows by. */
export type Derived<T> = Readonly<Record<string, (value: T, keyIdOf: KeyIdOf) => unknown>>;

/** What the driver gives and takes as it is. */
export function plain<T>(name: string): Column<T> {
  return { name, read: (stored) => stored as T, write: (value) => value };
}

/** Text that a client may have chosen. */
export function text(name: string): Column<string> {
  return { name, read: fromText, write: toText };
}

/** The driver gives a bigint as text. */
export function number(name: string): Column<number> {
  return { name, read: Number, write: (value) => value };
}

/** An integer beyond what 64 signed bits hold, as numeric. */
export function large(name: string): Column<bigint> {
  return { name, inJson: 'text', read: (stored) => BigInt(stored as string), write: String };
}

export function json<T>(name: string): Column<T> {
  return {
    name,
    read: (stored) => JSON.parse(stored as string) as T,
    write: (value) => JSON.stringify(value),
  };
}

export function binary(name: string): Column<Uint8Array> {
  return { name, inJson: 'hex', read: toBytes, write: toBuffer };
}

/** Sealed bytes, which are never empty; null as no bytes. */
export function sealed(name: string): Column<Uint8Array | null> {
  return {
    name,
    inJson: 'hex',
    read: (stored) => ((stored as Buffer).length === 0 ? null : toBytes(stored)),
    write: (value) => (value === null ? Buffer.alloc(0) : toBuffer(value)),
  };
}

/** The same, and null. */
export function orNull<T>({ read, write, ...column }: Column<T>): Column<T | null> {
  return {
    ...column,
    read: (stored) => (stored === null ? null : read(stored)),
    write: (value) => (value === null ? null : write(value)),
  };
}

/** The columns of a row, spelled once: a value read from them, or a row made of it. */
export class Table<T extends object> {
  /** The names of the columns, without those that are derived. */
  readonly names: readonly string[];
  readonly #columns: readonly (Column<unknown> & { readonly key: string })[];
  readonly #derived: readonly (readonly [string, Derived<T>[string]])[];

  constructor(columns: Columns<T>, derived: Derived<T> = {}) {
    const entries: readonly [string, Column<unknown>][] = Object.entries(columns);
    this.#columns = entries.map(([key, column]) => ({ key, ...column }));
    this.names = this.#columns.map(({ name }) => name);
    this.#derived = Object.entries(derived);
  }

  /** The SQL of one JSON array with the columns of a row, and others behind them. {@link fromJson} reads it. */
  jsonOf(table: string, more: readonly InJson[] = []): string {
    const values = [...this.#columns, ...more].map(({ name, inJson }) => {
      if (inJson === 'hex') return `encode(${table}.${name}, 'hex')`;
      return inJson === 'text' ? `${table}.${name}::text` : `${table}.${name}`;
    });
    return `json_build_array(${values.join(', ')})`;
  }

  /** The row that the driver would have given. */
  fromJson(values: readonly unknown[], more: readonly InJson[] = []): Row {
    const row: Record<string, unknown> = {};
    for (const [at, { name, inJson }] of [...this.#columns, ...more].entries()) {
      const value = values[at];
      row[name] = inJson === 'hex' && typeof value === 'string' ? Buffer.from(value, 'hex') : value;
    }
    return row;
  }

  /** @param row has at least these columns */
  read(row: Row): T {
    const value: Record<string, unknown> = {};
    for (const { key, name, read } of this.#columns) value[key] = read(row[name]);
    return value as T;
  }

  readAll(rows: readonly Row[]): T[] {
    return rows.map((row) => this.read(row));
  }

  /** @param keyIdOf needed where a column is derived by it */
  row(value: T, keyIdOf: KeyIdOf = () => ''): NewRow {
    const row: Record<string, unknown> = {};
    for (const { key, name, write } of this.#columns)
      row[name] = write((value as Record<string, unknown>)[key]);
    for (const [name, derive] of this.#derived) row[name] = derive(value, keyIdOf);
    return row;
  }
}

/** Where the code of a row stands. */
const MAC: readonly InJson[] = [binary('mac')];

/** A table whose rows carry a code that only a server with the key of the rows can make. */
export class AuthenticatedTable<T extends object> {
  readonly #kind: string;
  readonly #table: Table<T>;
  /** Without what is derived. */
  readonly #columns: Table<T>;

  /** @param kind what a row is called in a fault */
  constructor(kind: string, columns: Columns<T>, derived: Derived<T> = {}) {
    this.#kind = kind;
    this.#table = new Table(columns, derived);
    this.#columns = new Table(columns);
  }

  /**
   * @param owner whose row it is
   * @param row has at least these columns
   * @throws {EngineFault} where it is not what a server with this key has written
   */
  read(keys: RowKeys, owner: string, row: Row): T {
    const mac = row['mac'] as Uint8Array;
    keys.verify(this.#kind, owner, this.#authenticated(row), mac);
    const value = this.#table.read(row);
    keys.macs.set(value, mac);
    return value;
  }

  readAll(keys: RowKeys, owner: string, rows: readonly Row[]): T[] {
    return rows.map((row) => this.read(keys, owner, row));
  }

  /** The SQL of one JSON array with all that {@link read} needs of a row. */
  jsonOf(table: string): string {
    return this.#columns.jsonOf(table, MAC);
  }

  /** The row of such an array, as {@link read} takes it. */
  fromJson(values: readonly unknown[]): Row {
    return this.#columns.fromJson(values, MAC);
  }

  /** The names of the columns that a row is read from. */
  get names(): readonly string[] {
    return [...this.#columns.names, ...MAC.map(({ name }) => name)];
  }

  /** What a row says, whoever wrote it: only for rows that nobody has authenticated yet. */
  unverified(row: Row): T {
    return this.#table.read(row);
  }

  /** @param keyIdOf needed where a column is derived by it */
  row(keys: RowKeys, owner: string, value: T, keyIdOf?: KeyIdOf): NewRow {
    const row = this.#table.row(value, keyIdOf);
    return { ...row, mac: toBuffer(this.macOf(keys, owner, value, row)) };
  }

  /** The code of the row that says this. */
  macOf(keys: RowKeys, owner: string, value: T, row?: NewRow): Uint8Array {
    const known = keys.macs.get(value);
    if (known !== undefined) return known;
    const mac = keys.mac(this.#kind, owner, this.#authenticated(row ?? this.#columns.row(value)));
    keys.macs.set(value, mac);
    return mac;
  }

  #authenticated(row: Row): StoredValue[] {
    return this.#columns.names.map((name) => row[name] as StoredValue);
  }
}

/** PostgreSQL's text holds neither NUL nor half a surrogate pair, and a lock ID may hold both. */
const UNSTORABLE = /[\\\0]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const STORED = /\\([0-9a-f]{4})/g;

/** Any text as the database can keep it: only "\", NUL and broken surrogates are written otherwise. */
export function toText(value: string): string {
  return value.replace(UNSTORABLE, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function fromText(stored: unknown): string {
  return (stored as string).replace(STORED, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The driver sends a Buffer as it is, and any other array element by element. */
export function toBuffer(data: Uint8Array): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Bytes that came from the driver, as a plain array that compares like what was given. */
export function toBytes(stored: unknown): Uint8Array {
  return Uint8Array.from(stored as Buffer);
}
