import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lockOf, unlockOf, writeOf } from '../../src/contract/engine-commands.ts';
import { FEED_PAGE, type Following } from '../../src/house/feed.ts';
import { ADDRESS, BuiltHouse, callerOf, ENGINES, settled } from './fixtures/built-house.ts';

describe.each(ENGINES)('the feed of a house (%s)', (name) => {
  let built: BuiltHouse;
  let following: Following | null;
  let told: string[];

  beforeEach(async () => {
    built = await BuiltHouse.build(name);
    following = null;
    told = [];
  });
  afterEach(async () => {
    following?.close();
    await built[Symbol.asyncDispose]();
  });

  const follow = (after: number | null): Following => {
    following = built.house.feed.follow(after, (records) => {
      told.push(...records.map(({ note }) => note.action));
    });
    return following;
  };

  it('tells what is stored from a position on, in its order, as it comes', async () => {
    await built.write(callerOf('ann'), '{"version":4,"serial":1,"lineage":"l"}');
    const { position } = await built.engine.changes(null, 1);
    await built.engine.apply([lockOf(ADDRESS, 'a')]);
    await follow(position).caughtUp();
    expect(told).toEqual(['lock']);
    await built.engine.apply([unlockOf(ADDRESS, 'a')]);
    await built.write(callerOf('ann'), '{"version":4,"serial":2,"lineage":"l"}');
    await settled();
    expect(told).toEqual(['lock', 'unlock', 'write']);
  });

  it('tells only what comes, where no position is given', async () => {
    await built.engine.apply([writeOf(ADDRESS, 1n)]);
    const started = follow(null);
    await started.caughtUp();
    await built.engine.apply([writeOf(ADDRESS, 2n)]);
    await started.caughtUp();
    expect(told).toEqual(['write']);
  });

  it('finds within seconds what no signal told of', async () => {
    await follow(null).caughtUp();
    await built.engine.apply([writeOf(ADDRESS, 1n)]);
    await settled();
    expect(told).toEqual([]);
    built.clock.advance(2_000);
    await settled();
    expect(told).toEqual(['write']);
  });

  it('tells again what a listener could not take, and nothing when it is closed', async () => {
    let failures = 1;
    following = built.house.feed.follow(0, (records) => {
      told.push(...records.map(({ note }) => note.action));
      if (failures-- > 0) throw new Error('not now');
    });
    await built.engine.apply([writeOf(ADDRESS, 1n)]);
    await following.caughtUp().catch(() => undefined);
    await following.caughtUp();
    expect(told).toEqual(['write', 'write']);
    following.close();
    await built.engine.apply([writeOf(ADDRESS, 2n)]);
    built.clock.advance(10_000);
    await settled();
    expect(told).toHaveLength(2);
  });

  it('goes on where it was when the engine could not answer', async () => {
    await follow(null).caughtUp();
    vi.spyOn(built.engine, 'changes').mockRejectedValueOnce(new Error('away'));
    await built.engine.apply([writeOf(ADDRESS, 1n)]);
    await expect(following?.caughtUp()).rejects.toThrow('away');
    built.clock.advance(2_000);
    await settled();
    expect(told).toEqual(['write']);
  });

  it('tells once more, of none, where a page was full and nothing follows it', async () => {
    const { position: after } = await built.engine.changes(null, 1);
    await built.engine.apply([writeOf(ADDRESS, 1n)]);
    const { records, position } = await built.engine.changes(after, 1);
    const full = Array.from({ length: FEED_PAGE }, () => records).flat();
    vi.spyOn(built.engine, 'changes').mockResolvedValueOnce({ records: full, position });
    const counts: number[] = [];
    following = built.house.feed.follow(after, (told) => void counts.push(told.length));
    await following.caughtUp();
    expect(counts).toEqual([FEED_PAGE, 0]);
  });
});
