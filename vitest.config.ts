import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // On two processors. Some files wait most of their time (for connections to be found dead, credentials to expire), others run
    // whole terraform processes: more of those at once only makes them slower.
    maxWorkers: 3,
  },
});
