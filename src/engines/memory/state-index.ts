import {
  INDEX_WINDOW,
  type IndexCommand,
  type IndexPage,
  type IndexQuery,
  type IndexRow,
  type StateIndex,
} from '../../ports/state-index.ts';
import { compareBytes } from './queries.ts';

interface Kept {
  readonly row: IndexRow;
  readonly words: ReadonlySet<string>;
}

/** The index in a map: what the other engines are checked against. */
export class MemoryIndex implements StateIndex {
  readonly #kept = new Map<string, Kept>();

  async indexed({
    words,
    prefix = '',
    after = '',
    since = -Infinity,
    before = Infinity,
    limit,
    window = INDEX_WINDOW,
  }: IndexQuery): Promise<IndexPage> {
    const [first, ...others] = words.map(textOf);
    const under = [...this.#kept.values()]
      .filter(({ row: { name } }) => name.startsWith(prefix))
      .filter(({ row: { name } }) => after === '' || compareBytes(name, after) > 0)
      .filter((kept) => first === undefined || kept.words.has(first))
      .sort((a, b) => compareBytes(a.row.name, b.row.name));
    const looked = under.slice(0, window);
    const marks = looked
      .filter(({ row: { at } }) => at >= since && at < before)
      .filter((kept) => others.every((word) => kept.words.has(word)))
      .slice(0, limit)
      .map(({ row: { name, version, at } }) => ({ name, version, at }));
    const last = looked.length < window ? null : (looked.at(-1)?.row.name ?? null);
    return { marks, lookedTo: marks.length < limit ? last : (marks.at(-1)?.name ?? last) };
  }

  async indexRows(names: readonly string[]): Promise<readonly IndexRow[]> {
    return names
      .flatMap((name) => this.#kept.get(name)?.row ?? [])
      .sort((a, b) => compareBytes(a.name, b.name));
  }

  store(command: IndexCommand): void {
    if (command.type === 'put-index') {
      const { row, words } = command;
      if ((this.#kept.get(row.name)?.row.version ?? 0) > row.version) return;
      this.#kept.set(row.name, { row, words: new Set(words.map(textOf)) });
    } else if (command.names === null) this.#kept.clear();
    else for (const name of command.names) this.#kept.delete(name);
  }
}

function textOf(word: Uint8Array): string {
  return Buffer.from(word).toString('hex');
}
