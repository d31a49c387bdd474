import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Abuse: hostile input against real instances. One file after another, because some files measure pauses and memory. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/abuse/**/*.abuse.ts'],
    globalSetup: ['tests/setup/global.ts', 'tests/abuse/figures-setup.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // The contract fuzzer runs for many minutes; every other test takes seconds.
    testTimeout: 2_400_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    reporters: ['verbose'],
  },
});
