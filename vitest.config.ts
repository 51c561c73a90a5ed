import { defineConfig } from 'vitest/config';
import { FlakyReporter } from './test/support/flaky-reporter.ts';
import { LongestFirst } from './test/support/longest-first.ts';

const isCi = process.env['CI'] === 'true';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/postgres-template.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two processors. Many wait most of their time: for a program, for a connection to be found dead, for a credential to expire.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // Hundreds of tests run real programs against real time. One that a busy machine of CI made late is tried once more, and named
    // in the end; an input that broke a property is not.
    retry: isCi ? { count: 1, condition: /^(?!Property failed)/ } : 0,
    reporters: ['default', new FlakyReporter()],
  },
});
