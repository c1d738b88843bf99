import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** One part of the product against real servers; all other integration tests start whole pods. */
const COMPONENTS = ['jobs', 'postgres', 'redis', 'shard'].map(
  (part) => `test/integration/${part}/**/*.test.ts`,
);

/**
 * Unit tests are pure and fast; simulations run whole days under virtual time, beside the tests of components. One group
 * runs after the other. Whole pods spend most of their tests waiting, and so run two files at a time; browsers want the
 * machine for themselves. All in forked processes (a uWebSockets.js app cannot be ended from outside its thread).
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'components',
          include: COMPONENTS,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          sequence: { groupOrder: 2 },
          include: ['test/integration/**/*.test.ts'],
          exclude: COMPONENTS,
          testTimeout: 90_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          sequence: { groupOrder: 3 },
          include: ['test/browser/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 90_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
