import { expect, it } from 'vitest';
import type { ContentReader } from '../../src/ports/content-reader.ts';
import { BuiltHouse, settled } from './fixtures/built-house.ts';

const READER: ContentReader = {
  bytesMax: 1_000,
  read: () => Promise.reject(new Error('there is nothing to read')),
  [Symbol.asyncDispose]: async () => undefined,
};
/** A house begins with its index half a second after its start, and looks for changes every two. */
const BEGUN_MS = 500;
const LATER_MS = 10_000;

// The process would never end, and say every two seconds that the database is closed.
it('a house that is closed while its index is begun follows nothing any more', async () => {
  await using built = await BuiltHouse.build('memory', { contentReader: READER });
  const { house, engine, clock } = built;
  await house.join();
  const apply = engine.apply.bind(engine);
  let goOn: () => void = () => undefined;
  engine.apply = async (commands) => {
    const answers = await apply(commands);
    if (commands.some(({ type }) => type === 'drop-index'))
      await new Promise<void>((resolve) => (goOn = resolve));
    return answers;
  };
  clock.advance(BEGUN_MS);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const closing = house.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  goOn();
  await closing;

  let looks = 0;
  const changes = engine.changes.bind(engine);
  engine.changes = (after, limit) => {
    looks += 1;
    return changes(after, limit);
  };
  clock.advance(LATER_MS);
  await settled();
  expect(looks).toBe(0);
});
