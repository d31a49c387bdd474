import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/setup/global.ts'],
    pool: 'forks',
    // Two cores: more files at once only make each slower.
    maxWorkers: 2,
    // Files share what they import: loading it anew for each of three hundred took a fifth of the suite's time. None replaces a module, none changes one.
    isolate: false,
    // Bounds of a hang, not of a speed: on a machine that does other work a test may take many times as long.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    teardownTimeout: 30_000,
    reporters: ['default'],
  },
});
