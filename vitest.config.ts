import { defineConfig } from 'vitest/config';
import { FlakyReporter } from './test/support/flaky-reporter.ts';
import { LongestFirst } from './test/support/longest-first.ts';

const isCi = process.env['CI'] === 'true';
/** What has no clock, no port and no process: such files share a worker, which loads vitest and the program once. */
const PURE = ['test/core/**/*.test.ts'];

const common = {
  globalSetup: 'test/support/postgres-template.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Hundreds of tests run real programs against real time. One that a busy machine of CI made late is tried once more, and named
  // in the end; an input that broke a property is not.
  retry: isCi ? { count: 1, condition: /^(?!Property failed)/ } : 0,
};

export default defineConfig({
  test: {
    // On two processors. Many wait most of their time: for a program, for a connection to be found dead, for a credential to expire.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', new FlakyReporter()],
    projects: [
      { test: { ...common, name: 'each', include: ['test/**/*.test.ts'], exclude: PURE } },
      { test: { ...common, name: 'pure', include: PURE, isolate: false } },
    ],
  },
});
