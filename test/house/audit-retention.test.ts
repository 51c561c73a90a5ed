import { expect, it } from 'vitest';
import { writeOf } from '../../src/contract/engine-commands.ts';
import { ManualClock } from '../../src/contract/manual-clock.ts';
import { Sweep } from '../../src/house/sweep.ts';
import { ADDRESS, BuiltHouse, ENGINES } from './fixtures/built-house.ts';

const DAY = 86_400_000;
const HOUR = DAY / 24;

it.each(ENGINES)(
  'records of the audit log are forgotten when they are older than is kept (%s)',
  async (name) => {
    await using built = await BuiltHouse.build(name, { auditKept: 30 * DAY });
    const { engine, clock, house } = built;
    const actions = async (): Promise<readonly string[]> =>
      (await engine.audit({ limit: 10_000 })).map(({ note }) => note.action);
    await engine.apply(Array.from({ length: 1_200 }, (_, at) => writeOf(ADDRESS, BigInt(at))));
    clock.advance(29 * DAY);
    await engine.apply([writeOf(ADDRESS, 1_200n)]);
    await house.audit.prune();
    expect(await actions()).toHaveLength(1_201);
    clock.advance(2 * DAY);
    await house.audit.prune();
    expect(await actions()).toEqual(['prune-audit', 'write']);
    await house.audit.prune();
    expect(await actions()).toEqual(['prune-audit', 'write']);
  },
);

it('all records are kept where nothing is said', async () => {
  await using built = await BuiltHouse.build('memory');
  await built.engine.apply([writeOf(ADDRESS, 1n), writeOf(ADDRESS, 2n)]);
  built.clock.advance(10_000 * DAY);
  await built.house.audit.prune();
  expect(await built.engine.audit({ limit: 10 })).toHaveLength(2);
});

it('what is too old is looked for every hour, whatever failed before, until the house closes', async () => {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (message: string) => void warnings.push(message), error() {} };
  let runs = 0;
  const works = {
    this: () => Promise.reject(new Error('away')),
    that: () => Promise.resolve((runs += 1)),
  };
  const sweep = new Sweep({ works, clock, log });
  sweep.start();
  for (const [pause, sum] of [
    [60_000, 1],
    [HOUR, 2],
    [HOUR, 3],
  ] as const) {
    clock.advance(pause);
    await expect.poll(() => runs).toBe(sum);
  }
  await sweep.stop();
  clock.advance(HOUR);
  expect([runs, warnings.length]).toEqual([3, 3]);
});
