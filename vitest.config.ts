import { defineConfig } from 'vitest/config';

/**
 * Unit tests are pure and fast; simulations run whole days under virtual time. Integration tests start whole processes and real servers, so they run one
 * file at a time in forked processes (a uWebSockets.js app cannot be ended from outside its thread).
 */
export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        extends: true,
        test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
