import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Each end-to-end file runs whole terraform processes: more than two at once only makes them slower.
    maxWorkers: 2,
  },
});
