import { describe, expect, it } from 'vitest';
import type { WriteAnswer } from '../../src/house/states/states.ts';
import { sampleState } from '../support/sample-state.ts';
import { BuiltHouse, callerOf, inChunks, NO_CLAIM, settled } from './fixtures/built-house.ts';

const ANN = callerOf('ann');
const MEGABYTE = 1_000_000;

/** A body that stops halfway until the test says how it goes on. */
function halfway(text: string): { body: AsyncIterable<Uint8Array>; go: () => void; breakOff: () => void } {
  const bytes = Buffer.from(text);
  let go: () => void = () => undefined;
  let breakOff: () => void = () => undefined;
  const told = new Promise<void>((resolve, reject) => {
    go = resolve;
    breakOff = () => reject(new Error('the body broke off'));
  });
  // It may break off before anybody has read so far.
  told.catch(() => undefined);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* inChunks(bytes.subarray(0, bytes.length / 2));
    await told;
    yield* inChunks(bytes.subarray(bytes.length / 2));
  }
  return { body: body(), go, breakOff };
}

describe('states that come in at one time', () => {
  const open = (): Promise<BuiltHouse> =>
    BuiltHouse.build('memory', { stateBytesMax: MEGABYTE, inFlightBytesMax: 1.5 * MEGABYTE });

  function write(
    { house }: BuiltHouse,
    key: string,
    body: AsyncIterable<Uint8Array>,
    contentLength: number | null,
  ): Promise<WriteAnswer> {
    const address = { project: 'acme', key, workspace: 'default' };
    return house.states.write(ANN, address, body, { claim: NO_CLAIM, contentLength });
  }

  const large = sampleState(1, { size: 800_000 });

  it('are bounded together: one too many is told to come again, and finds room when another is done', async () => {
    await using built = await open();
    const first = halfway(large);
    const writing = write(built, 'first', first.body, large.length);
    await settled();
    const second = await write(built, 'second', inChunks(Buffer.from(large)), large.length);
    expect(second).toMatchObject({ type: 'busy' });
    const small = sampleState(1);
    expect((await write(built, 'small', inChunks(Buffer.from(small)), small.length)).type).toBe('stored');
    first.go();
    expect((await writing).type).toBe('stored');
    expect((await write(built, 'second', inChunks(Buffer.from(large)), large.length)).type).toBe('stored');
  });

  it('are counted as they come where nobody said how many there are', async () => {
    await using built = await open();
    const first = halfway(sampleState(1, { size: 990_000 }));
    const writing = write(built, 'first', first.body, null);
    await settled();
    const second = halfway(sampleState(1, { size: 990_000 }));
    const other = write(built, 'second', second.body, null);
    await settled();
    first.go();
    second.go();
    const ends = [(await writing).type, (await other).type];
    expect(ends).toContain('stored');
    expect(ends).toContain('busy');
  });

  it('give their room back when they break off', async () => {
    await using built = await open();
    for (let round = 0; round < 5; round += 1) {
      const broken = halfway(large);
      const writing = write(built, 'broken', broken.body, large.length);
      await settled();
      broken.breakOff();
      await expect(writing).rejects.toThrow('the body broke off');
    }
    expect((await write(built, 'whole', inChunks(Buffer.from(large)), large.length)).type).toBe('stored');
  });

  it('are taken one at a time even where the largest state is larger than the bound', async () => {
    await using built = await BuiltHouse.build('memory', {
      stateBytesMax: MEGABYTE,
      inFlightBytesMax: 1_000,
    });
    expect((await write(built, 'alone', inChunks(Buffer.from(large)), large.length)).type).toBe('stored');
  });
});
