import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Tests of the npm package: it is packed, installed and run outside the checkout. Needs the registry, unless npm has the packages in its cache. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/package/**/*.package.ts'],
    globalSetup: ['tests/package/support/install-package.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['verbose'],
  },
});
