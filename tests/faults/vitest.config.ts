import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Fault tests kill instances and check their recovery. Files run one after another: each needs all cores. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/faults/**/*.faults.ts'],
    globalSetup: ['tests/setup/global.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // A series of kills takes one or two minutes; only an instance that never recovers takes longer.
    testTimeout: 1_200_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    reporters: ['verbose'],
  },
});
