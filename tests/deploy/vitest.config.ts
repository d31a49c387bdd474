import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests of deploy/: they build Helm once, which takes some minutes. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/deploy/**/*.deploy.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    reporters: ['verbose'],
  },
});
