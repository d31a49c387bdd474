import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Builds the images and runs them against the engines of the tests. Needs root and Debian, and some minutes. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/images/**/*.images.ts'],
    globalSetup: ['tests/setup/global.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['verbose'],
  },
});
