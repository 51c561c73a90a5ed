import { defineConfig } from 'vitest/config';
import { FlakyReporter } from './test/support/flaky-reporter.ts';

const isCi = process.env['CI'] === 'true';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two processors. Some files wait most of their time (for connections to be found dead, credentials to expire), others run
    // whole terraform processes: more of those at once only makes them slower.
    maxWorkers: 3,
    // Hundreds of tests run real programs against real time. One that a busy machine of CI made late is tried once more, and named
    // in the end; an input that broke a property is not.
    retry: isCi ? { count: 1, condition: /^(?!Property failed)/ } : 0,
    reporters: ['default', new FlakyReporter()],
  },
});
