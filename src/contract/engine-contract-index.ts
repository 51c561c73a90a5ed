import { describe, expect, it } from 'vitest';
import { formatAddress } from '../core/address.ts';
import type { RecordCommand } from '../ports/engine.ts';
import type { IndexQuery, IndexRow } from '../ports/state-index.ts';
import { ALICE, deleteOf, writeOf } from './engine-commands.ts';
import type { Bench } from './engine-contract.ts';

const WORDS = ['instance', 'subnet', 'rare'] as const;
type Word = (typeof WORDS)[number];

/** By which states are found. */
export function indexContract(bench: Bench): void {
  const word = (text: Word): Uint8Array => Uint8Array.from(Buffer.from(text.padEnd(8)).subarray(0, 8));
  const row = (name: string, version = 1, at = version * 1_000): IndexRow => ({
    name,
    version,
    at,
    sealed: Uint8Array.from(Buffer.from(`sealed ${name} ${version}`)),
  });
  const put = (one: IndexRow, ...words: readonly Word[]): RecordCommand => ({
    type: 'put-index',
    row: one,
    words: words.map(word),
  });
  const apply = async (...commands: readonly RecordCommand[]): Promise<void> => {
    await bench.engine().apply(commands);
  };
  const found = async (words: readonly Word[], more: Partial<IndexQuery> = {}): Promise<string[]> => {
    const query = { limit: 100, ...more, words: words.map(word) };
    return (await bench.engine().indexed(query)).marks.map(({ name }) => name);
  };
  const rows = async (...names: readonly string[]): Promise<IndexRow[]> =>
    (await bench.engine().indexRows(names)).map((kept) => ({
      ...kept,
      sealed: Uint8Array.from(kept.sealed),
    }));

  describe('the index of states', () => {
    it('finds what is under all words, in the order of the names, some at a time', async () => {
      await apply({ type: 'drop-index', names: null });
      const names = ['a/1', 'a/2', 'a/2@dev', 'a/3', 'b/1'];
      await apply(
        ...names
          .toReversed()
          .map((name) => put(row(name), 'instance', ...(name === 'a/3' ? ['rare' as const] : []))),
        put(row('c/1'), 'subnet'),
      );
      expect(await found(['instance'])).toEqual(names);
      expect(await found(['instance'], { limit: 2 })).toEqual(names.slice(0, 2));
      expect(await found(['instance'], { limit: 2, after: 'a/2' })).toEqual(['a/2@dev', 'a/3']);
      expect(await found(['instance'], { prefix: 'a/2' })).toEqual(['a/2', 'a/2@dev']);
      expect(await found(['rare', 'instance'])).toEqual(['a/3']);
      expect(await found(['instance', 'rare'])).toEqual(['a/3']);
      expect(await found(['subnet', 'rare'])).toEqual([]);
      expect(await found([])).toEqual([...names, 'c/1']);
      expect(await found([], { prefix: 'c/', after: 'c/0' })).toEqual(['c/1']);
    });

    it('finds by when it was written', async () => {
      await apply({ type: 'drop-index', names: null });
      await apply(
        put(row('a/1', 1), 'instance'),
        put(row('a/2', 2), 'instance'),
        put(row('a/3', 3), 'subnet'),
      );
      expect(await found([], { since: 2_000 })).toEqual(['a/2', 'a/3']);
      expect(await found(['instance'], { since: 2_000 })).toEqual(['a/2']);
      expect(await found(['instance'], { before: 2_000 })).toEqual(['a/1']);
      expect(await bench.engine().indexed({ words: [], since: 2_000, before: 3_000, limit: 9 })).toEqual({
        marks: [{ name: 'a/2', version: 2, at: 2_000 }],
        lookedTo: null,
      });
    });

    it('looks at a few names in one go, and says how far, even where nothing is found', async () => {
      await apply({ type: 'drop-index', names: null });
      const names = Array.from({ length: 12 }, (_, at) => `a/${String(at).padStart(2, '0')}`);
      await apply(
        ...names.map((name, at) =>
          put(row(name, at + 1), 'instance', ...(at === 10 ? ['rare' as const] : ['subnet' as const])),
        ),
      );
      const looks = async (
        words: readonly Word[],
        more: Partial<IndexQuery>,
      ): Promise<readonly string[][]> => {
        const pages: string[][] = [];
        for (let after: string | null = ''; after !== null;) {
          const from = after === '' ? {} : { after };
          const query: IndexQuery = { limit: 3, window: 4, ...more, ...from, words: words.map(word) };
          const { marks, lookedTo } = await bench.engine().indexed(query);
          pages.push(marks.map(({ name }) => name));
          after = lookedTo;
        }
        return pages;
      };
      const late = await looks(['instance'], { since: 11_000 });
      expect([late.flat(), late.length > 2, late[0]]).toEqual([['a/10', 'a/11'], true, []]);
      const never = await looks(['instance', 'subnet'], { prefix: 'a/1', since: 99_000 });
      expect(never.flat()).toEqual([]);
      expect((await looks(['instance', 'subnet'], {})).flat()).toEqual(
        names.filter((name) => name !== 'a/10'),
      );
      expect((await looks(['instance', 'rare'], {})).flat()).toEqual(['a/10']);
      expect((await looks([], { before: 2_000 })).flat()).toEqual(['a/00']);
      expect((await looks([], {})).flat()).toEqual(names);
    });

    it('has a state under its newest words alone, and never takes an older version', async () => {
      await apply({ type: 'drop-index', names: null });
      await apply(put(row('a/1', 2), 'instance', 'rare'));
      await apply(put(row('a/1', 3), 'instance', 'subnet'));
      expect([await found(['rare']), await found(['subnet'])]).toEqual([[], ['a/1']]);
      await apply(put(row('a/1', 2), 'rare'));
      expect([await found(['rare']), await found(['instance'])]).toEqual([[], ['a/1']]);
      expect(await rows('a/1', 'a/none')).toEqual([row('a/1', 3)]);
      // The same version again, made anew.
      await apply(put(row('a/1', 3, 9), 'rare', 'rare'));
      expect([await found(['rare']), await found(['instance'])]).toEqual([['a/1'], []]);
      expect(await rows('a/1')).toEqual([row('a/1', 3, 9)]);
    });

    it('forgets what is dropped, and tells the rows of many names by name', async () => {
      await apply({ type: 'drop-index', names: null });
      await apply(
        put(row('a/1'), 'instance'),
        put(row('a/2'), 'instance'),
        put(row('a/\u00e9\u{1f600}'), 'instance'),
      );
      expect(await rows('a/2', 'a/\u00e9\u{1f600}', 'a/1')).toEqual([
        row('a/1'),
        row('a/2'),
        row('a/\u00e9\u{1f600}'),
      ]);
      await apply({ type: 'drop-index', names: ['a/1', 'a/none'] });
      expect(await found(['instance'])).toEqual(['a/2', 'a/\u00e9\u{1f600}']);
      await apply(put(row('a/1', 1), 'subnet'));
      expect(await found(['subnet'])).toEqual(['a/1']);
      await apply({ type: 'drop-index', names: null });
      expect([await found([]), await found(['instance']), await rows('a/2')]).toEqual([[], [], []]);
    });

    it('lacks a state from the moment that it is purged', async () => {
      const address = bench.address();
      const name = formatAddress(address);
      await bench.give(writeOf(address, 1n));
      await apply(put(row(name), 'instance'));
      const about = { address, actor: ALICE };
      await bench.give(deleteOf(address));
      expect(await found(['instance'], { prefix: name })).toEqual([name]);
      await bench.give({ type: 'purge', ...about });
      expect(await found(['instance'], { prefix: name })).toEqual([]);
      expect(await rows(name)).toEqual([]);
    });
  });
}
