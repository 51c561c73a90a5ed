import { expect, it } from 'vitest';
import { amountOf } from '../support/amount.ts';
import { runSeed } from './run-seed.ts';

const SEEDS = amountOf('STATEHOUSE_LAB_SEEDS', { few: 100, many: 10_000 });

it('simulates the same from the same seed', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { digest, steps } = await runSeed(seed);
    expect(await runSeed(seed)).toMatchObject({ digest, steps });
  }
});

it(`breaks no rule in ${SEEDS} seeds`, { timeout: 120_000 + SEEDS * 500 }, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { violation } = await runSeed(seed);
    expect(violation, `npm run lab -- --seed ${seed} --trace`).toBeNull();
  }
});
