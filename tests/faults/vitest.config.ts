import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Faults: whole instances are killed and watched coming back. One file after another, for each needs the machine for itself. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/faults/**/*.faults.ts'],
    globalSetup: ['tests/setup/global.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // A wave of kills takes a minute or two; only an instance that never comes back takes longer.
    testTimeout: 1_200_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    reporters: ['verbose'],
  },
});
