import { EngineFault, type EntryPage } from '../../../ports/engine.ts';
import type { RowKeys } from '../../row-keys.ts';
import { Conditions } from './conditions.ts';
import type { Database, Statement } from '../files/driver.ts';
import { damaged } from '../faults.ts';
import { ENTRY, HOUSE, whole, type StoredEntry } from '../rows.ts';

const AGAIN = 'entry INDEXED BY entry_again';

/** Reads entries. What the table lacks is looked for in an index on pages of its own, so that damage makes none absent. */
export class EntryReader {
  readonly #db: Database;
  readonly #keys: RowKeys;
  readonly #one: Statement;
  readonly #again: Statement;
  /** Statements of lists, whose text depends on what is asked; there are a handful. */
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Database, keys: RowKeys) {
    this.#db = db;
    this.#keys = keys;
    this.#one = db.prepare(`SELECT ${ENTRY.list} FROM entry WHERE kind = ? AND name = ?`);
    this.#again = db.prepare(`SELECT 1 FROM ${AGAIN} WHERE kind = ? AND name = ?`);
  }

  /** Of one kind, or of all: by kind and name. @throws {EngineFault} where one was changed, or is missing */
  all(kind: string | null, { after, limit }: EntryPage = { limit: Infinity }): StoredEntry[] {
    const range = new Conditions();
    if (kind !== null) range.add('kind = ?', kind);
    if (after !== undefined) range.add('(kind, name) > (?, ?)', after.kind, after.name);
    const sql = `SELECT ${ENTRY.list} FROM entry WHERE ${range.text} ORDER BY kind, name LIMIT ?`;
    const rows = this.#prepare(sql).all(...range.values, whole(limit));
    const entries = ENTRY.readAll(this.#keys, HOUSE, rows);
    const last = entries.at(-1);
    if (last !== undefined && entries.length === limit)
      range.add('(kind, name) <= (?, ?)', last.kind, last.name);
    // Their number alone would not tell of one that is there twice in the place of another.
    const again = this.#prepare(`SELECT kind, name FROM ${AGAIN} WHERE ${range.text} ORDER BY kind, name`);
    const names = again.all(...range.values) as Pick<StoredEntry, 'kind' | 'name'>[];
    const isSame = ({ kind, name }: StoredEntry, at: number): boolean =>
      names[at]?.kind === kind && names[at].name === name;
    if (names.length !== entries.length || !entries.every(isSame)) throw lacking();
    return entries;
  }

  /** null where there is none. @throws {EngineFault} where it was changed, or is missing */
  find(kind: string, name: string): StoredEntry | null {
    const found = this.found(kind, name);
    if (found === null && this.#again.get(kind, name) !== undefined) throw lacking();
    return found;
  }

  /** null where the table has none, which proves nothing. @throws {EngineFault} where it was changed */
  found(kind: string, name: string): StoredEntry | null {
    const row = this.#one.get(kind, name);
    return row === undefined ? null : ENTRY.read(this.#keys, HOUSE, row);
  }

  #prepare(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

function lacking(): EngineFault {
  return new EngineFault(damaged('an index of the entries lacks one, or has one too many'));
}
