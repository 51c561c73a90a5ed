import { expect, it } from 'vitest';
import { INDEX_RECORD, INDEX_RECORDS } from '../../src/house/explorer/index-key.ts';
import type { ContentReader } from '../../src/ports/content-reader.ts';
import { eventually } from '../support/eventually.ts';
import { BuiltHouse, callerOf, settled } from './fixtures/built-house.ts';

/** A house begins with its index half a second after its start, and waits at most a second after what it took up. */
const BEGUN_MS = 500;
const LULL_MS_MAX = 1_000;

it('takes up at once what changes, and what changes again and again once in a while', async () => {
  let reads = 0;
  const contentReader: ContentReader = {
    bytesMax: 1_000,
    read: async () => {
      reads += 1;
      return { type: 'unreadable', why: 'unreadable' };
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  await using built = await BuiltHouse.build('memory', { contentReader });
  const { house, engine, clock } = built;
  await house.join();
  clock.advance(BEGUN_MS);
  const write = (serial: number): Promise<unknown> =>
    built.write(callerOf('ann'), `{"version":4,"serial":${serial},"lineage":"l"}`);
  const isAt = async (version: number): Promise<boolean> => {
    const { marks } = await engine.indexed({ words: [], prefix: '', limit: 1 });
    return marks[0]?.version === version;
  };
  const index = INDEX_RECORDS.of({ engine, clock });
  await eventually('the index is made', async () => (await index.one(INDEX_RECORD))?.builtTo === null);

  await write(1);
  await eventually('the first is in the index', () => isAt(1));
  for (let serial = 2; serial <= 6; serial += 1) {
    await write(serial);
    await settled();
  }
  expect(reads).toBe(1);
  clock.advance(LULL_MS_MAX);
  await eventually('the last is in the index', () => isAt(6));
  expect(reads).toBe(2);
});
