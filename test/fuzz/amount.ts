import { amountOf } from '../support/amount.ts';
import { SEED } from '../support/chance.ts';

/** How many inputs there are, all parsers and doors together. */
export const FUZZ_INPUTS: number = amountOf('STATEHOUSE_FUZZ_INPUTS', { few: 50_000, many: 1_000_000 });
/** What the inputs follow from, unless it is set. A failure names it. */
export const FUZZ_SEED: number = Number(process.env['STATEHOUSE_FUZZ_SEED'] ?? SEED);
/** What one input may take of the processor's time, a collection of garbage included, in milliseconds. */
export const INPUT_MS_MAX: number = 500;
