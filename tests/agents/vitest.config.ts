import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Sessions of real agents against a local provider. Files run one after another: each agent takes seconds to start. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/agents/**/*.agents.ts'],
    globalSetup: ['tests/setup/global.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['verbose'],
  },
});
