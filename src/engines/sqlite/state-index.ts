import {
  INDEX_COUNTED_MAX,
  INDEX_WINDOW,
  INDEX_WORD_BYTES,
  type IndexCommand,
  type IndexMark,
  type IndexPage,
  type IndexQuery,
  type IndexRow,
} from '../../ports/state-index.ts';
import { insert } from './columns.ts';
import type { Database, Statement } from './files/driver.ts';
import { Conditions } from './reads/conditions.ts';

/** Longer than any name can go on after its prefix, so no name that begins so sorts behind the two together. */
const BEHIND_ALL_NAMES = '\u{10FFFF}'.repeat(300);

/** Stores the index, inside the writer's transaction. */
export class IndexStore {
  readonly #stored: Statement;
  readonly #put: Statement;
  readonly #drop: Statement;
  readonly #addWord: Statement;
  readonly #dropWord: Statement;
  readonly #dropAll: readonly Statement[];

  constructor(db: Database) {
    this.#stored = db.prepare('SELECT version, words FROM state_index WHERE name = ?');
    const replaced = insert('state_index', 'name, version, at, words, sealed').replace('INSERT', 'REPLACE');
    this.#put = db.prepare(replaced);
    this.#drop = db.prepare('DELETE FROM state_index WHERE name = ?');
    this.#addWord = db.prepare('INSERT OR IGNORE INTO index_word (word, name) VALUES (?, ?)');
    this.#dropWord = db.prepare('DELETE FROM index_word WHERE word = ? AND name = ?');
    this.#dropAll = ['state_index', 'index_word'].map((table) => db.prepare(`DELETE FROM ${table}`));
  }

  store(command: IndexCommand): void {
    if (command.type === 'put-index') this.#keep(command.row, command.words);
    else if (command.names === null) for (const all of this.#dropAll) all.run();
    else for (const name of command.names) this.drop(name);
  }

  /** Takes a state out of the index. */
  drop(name: string): void {
    for (const word of this.#find(name).words.values()) this.#dropWord.run(word, name);
    this.#drop.run(name);
  }

  /** Most words of a state stay from one version to the next, and are not touched. */
  #keep({ name, version, at, sealed }: IndexRow, words: readonly Uint8Array[]): void {
    const before = this.#find(name);
    if (before.version > version) return;
    const now = byText(words);
    for (const [text, word] of before.words) if (!now.has(text)) this.#dropWord.run(word, name);
    for (const [text, word] of now) if (!before.words.has(text)) this.#addWord.run(word, name);
    this.#put.run(name, version, at, Buffer.concat([...now.values()]), sealed);
  }

  #find(name: string): { readonly version: number; readonly words: ReadonlyMap<string, Uint8Array> } {
    const row = this.#stored.get(name) as { version: number; words: Uint8Array } | undefined;
    if (row === undefined) return { version: 0, words: new Map() };
    const { version, words } = row;
    const each = Array.from({ length: words.length / INDEX_WORD_BYTES }, (_, index) =>
      words.subarray(index * INDEX_WORD_BYTES, (index + 1) * INDEX_WORD_BYTES),
    );
    return { version, words: byText(each) };
  }
}

/** Reads the index. */
export class IndexReader {
  readonly #db: Database;
  /** Statements by their text, which depends on what is asked; there are some dozens. */
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  indexed({ words, prefix, after, since, before, limit, window = INDEX_WINDOW }: IndexQuery): IndexPage {
    const [first, ...others] = this.#rarestFirst(words);
    const [table, name] = first === undefined ? ['state_index', 'name'] : ['index_word', 'index_word.name'];
    // By the word alone where there is one: its names are in their order already.
    const range = new Conditions();
    if (first !== undefined) range.add('word = ?', first);
    if (prefix !== undefined && prefix !== '')
      range.add(`${name} >= ? AND ${name} < ?`, prefix, prefix + BEHIND_ALL_NAMES);
    if (after !== undefined) range.add(`${name} > ?`, after);
    const looking = `SELECT ${name} FROM ${table} WHERE ${range.text} ORDER BY ${name} LIMIT 1 OFFSET ?`;
    const far = this.#prepare(looking).get(...range.values, window - 1) as { name: string } | undefined;
    if (far !== undefined) range.add(`${name} <= ?`, far.name);
    for (const word of others) {
      range.add(
        `EXISTS (SELECT 1 FROM index_word AS other WHERE other.word = ? AND other.name = ${name})`,
        word,
      );
    }
    if (since !== undefined) range.add('at >= ?', since);
    if (before !== undefined) range.add('at < ?', before);
    const from =
      first === undefined
        ? 'state_index'
        : 'index_word CROSS JOIN state_index ON state_index.name = index_word.name';
    const marks = this.#prepare(
      `SELECT state_index.name, version, at FROM ${from} WHERE ${range.text} ORDER BY ${name} LIMIT ?`,
    ).all(...range.values, limit) as IndexMark[];
    const last = marks.length < limit ? undefined : marks.at(-1)?.name;
    return { marks, lookedTo: last ?? far?.name ?? null };
  }

  #rarestFirst(words: readonly Uint8Array[]): readonly Uint8Array[] {
    if (words.length < 2) return words;
    const count = this.#prepare(
      'SELECT count(*) AS count FROM (SELECT 1 FROM index_word WHERE word = ? LIMIT ?)',
    );
    const counts = new Map(
      words.map((word) => [word, (count.get(word, INDEX_COUNTED_MAX) as { count: number }).count]),
    );
    return words.toSorted((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
  }

  rows(names: readonly string[]): IndexRow[] {
    const one = this.#prepare('SELECT name, version, at, sealed FROM state_index WHERE name = ?');
    return names.toSorted().flatMap((name) => (one.get(name) as IndexRow | undefined) ?? []);
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

function byText(words: readonly Uint8Array[]): ReadonlyMap<string, Uint8Array> {
  const named = words.map((word) => [Buffer.from(word).toString('hex'), word] as const);
  return new Map(named.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
