import * as fc from 'fast-check';

/** Any number: what counts is that it stays. */
const SEED_IN_CI = 6_390_023;

/**
 * What tests by chance start from. In CI it is always the same, so that a submission fails for what it changed. Everywhere else
 * each run tries inputs that no run tried before.
 */
export const SEED: number = process.env['CI'] === 'true' ? SEED_IN_CI : Date.now() % 1_000_000;

fc.configureGlobal({ seed: SEED });

export { fc };
