import { describe, expect, it } from 'vitest';
import { FUZZ_INPUTS, FUZZ_SEED, INPUT_MS_MAX } from './amount.ts';
import { Dice, mutate } from './mutation.ts';
import { PARSERS } from './parsers.ts';

// Every parser is given inputs that are nearly right. It may refuse them; it may not throw, nor take long.

const EACH = Math.ceil((FUZZ_INPUTS * 0.9) / PARSERS.length);

describe(`parsers, seed ${FUZZ_SEED}`, () => {
  it.each(PARSERS)('$name', { timeout: 3_600_000 }, async ({ name, corpus, run }) => {
    const dice = new Dice(FUZZ_SEED + name.length);
    const known = corpus.map((text) => Buffer.from(text));
    for (let count = 0; count < EACH; count += 1) {
      const input = count < known.length ? (known[count] as Buffer) : mutate(known, dice);
      const began = process.cpuUsage();
      try {
        await run(input, Buffer.from(input).toString());
      } catch (fault) {
        throw new Error(
          `seed ${FUZZ_SEED}, input ${count}: ${JSON.stringify(Buffer.from(input).toString('latin1'))}`,
          { cause: fault },
        );
      }
      const { user } = process.cpuUsage(began);
      expect(
        user / 1_000,
        `seed ${FUZZ_SEED}, input ${count}: ${JSON.stringify(Buffer.from(input).toString('latin1')).slice(0, 2_000)}`,
      ).toBeLessThan(INPUT_MS_MAX);
    }
  });
});
