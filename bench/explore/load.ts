import { gzipSync } from 'node:zlib';
import { allTerms } from '../../src/core/snapshot/contents.ts';
import { INDEX_RECORD, INDEX_RECORDS, IndexKey } from '../../src/house/explorer/index-key.ts';
import { rowContext } from '../../src/house/explorer/indexed-state.ts';
import type { IndexRow } from '../../src/ports/state-index.ts';
import { buildHouse } from '../../src/server/build.ts';
import { DEFAULTS, type Configuration, type Store } from '../../src/server/configuration.ts';
import { systemClock } from '../../src/server/runtime.ts';
import { progress } from '../section.ts';
import { cpuOf } from '../usage.ts';
import { contentsOf, nameOf, timeOf } from './synthetic.ts';
import { SortedWords } from './sorted-words.ts';

/** A row and the words it is found by. */
export interface LoadedRow extends IndexRow {
  readonly words: readonly Uint8Array[];
}

/** What takes rows in the order of their names, and then their words in the order of the words. */
export interface IndexTables {
  putRows(rows: readonly LoadedRow[]): Promise<void>;
  putWords(words: Iterable<{ readonly word: Uint8Array; readonly name: string }>): Promise<void>;
}

/** What filling took of the processor, in milliseconds a state, here and in the database. */
export interface Loaded {
  readonly words: number;
  readonly cpuMs: number;
}

const ROWS_TOGETHER = 500;
const WORDS_MAX = 400;
/** Nobody reads what this packs but once. */
const FAST = { level: 1 };

/**
 * Fills the index of a server that is not running as if so many states had been written, the words in their order: what is
 * measured is how it is asked. A server that follows its states fills it one state after the other.
 */
export async function load(
  states: number,
  place: { readonly store: Store; readonly masterKeys: string | null },
  openTables: () => Promise<IndexTables & AsyncDisposable>,
): Promise<Loaded> {
  const { key, seal } = await openKeys(place);
  await using tables = await openTables();
  const began = await cpuOf([process.pid]);
  const order = Array.from({ length: states }, (_, state) => state);
  const names = order.map(nameOf);
  order.sort((a, b) => Buffer.compare(Buffer.from(names[a] ?? ''), Buffer.from(names[b] ?? '')));
  const words = new SortedWords(states * WORDS_MAX);
  const wordOf = remembering(key);
  for (let from = 0; from < states; from += ROWS_TOGETHER) {
    const rows = order.slice(from, from + ROWS_TOGETHER).map((state): LoadedRow => {
      const contents = contentsOf(state);
      const mark = { name: nameOf(state), version: 1, at: timeOf(state) };
      const those = [
        ...allTerms(contents).map((term) => wordOf('term', term)),
        wordOf('writer', contents.writer),
        wordOf('terraform', contents.terraformVersion),
      ].toSorted(Buffer.compare);
      for (const word of those) words.add(word, state);
      const packed = gzipSync(JSON.stringify(contents), FAST);
      return { ...mark, words: those, sealed: seal(packed, rowContext(mark)) };
    });
    await tables.putRows(rows);
    if (from % 10_000 === 0) progress(`explore: ${from} of ${states} states`);
  }
  progress(`explore: ${words.count} words`);
  await tables.putWords(named(words, names));
  const cpuMs = (((await cpuOf([process.pid])) - began) * 1_000) / states;
  return { words: words.count / states, cpuMs };
}

function* named(
  words: SortedWords,
  names: readonly string[],
): Generator<{ readonly word: Uint8Array; readonly name: string }> {
  for (const { word, state } of words.inOrder()) yield { word, name: names[state] ?? '' };
}

/** Most words of a state are its own; those that all have are made once. */
function remembering(key: IndexKey): IndexKey['word'] {
  const known = new Map<string, Uint8Array>();
  return (of, text) => {
    const isCommon = text.length < 20 || text.startsWith('module.');
    const name = `${of} ${text}`;
    const found = isCommon ? known.get(name) : undefined;
    if (found !== undefined) return found;
    const word = key.word(of, text);
    if (isCommon && known.size < 100_000) known.set(name, word);
    return word;
  };
}

/** The key of the index that a server has made. */
async function openKeys(place: {
  readonly store: Store;
  readonly masterKeys: string | null;
}): Promise<{ key: IndexKey; seal: (plain: Uint8Array, context: string) => Uint8Array }> {
  const configuration: Configuration = { ...DEFAULTS, ...place, logLevel: 'silent' };
  const { engine, keyring, close } = await buildHouse(configuration);
  try {
    const stored = await INDEX_RECORDS.of({ engine, clock: systemClock }).one(INDEX_RECORD);
    const key = stored === null ? null : IndexKey.open(keyring, stored);
    if (key === null) throw new Error('the server has made no index');
    return { key, seal: (plain, context) => keyring.seal(plain, context) };
  } finally {
    await close();
  }
}
