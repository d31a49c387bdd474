import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FiguresReporter } from './figures-reporter.ts';

/** Files of the suite in which each test plays an attack: they run here again, so that one command tries all attacks. */
const ATTACKS = [
  'tests/hook/project/hostile-folder.test.ts',
  'tests/api/bodies.test.ts',
  'tests/api/legal-holds.test.ts',
  'tests/api/local-caller.test.ts',
  'tests/api/methods.test.ts',
  'tests/api/odd-requests.test.ts',
  'tests/api/rights.test.ts',
  'tests/api/session-owner.test.ts',
  'tests/api/shared-knowledge.test.ts',
  'tests/stores/archive/journal.test.ts',
  'tests/stores/backup/carry-access.test.ts',
  'tests/stores/portable/settings.test.ts',
];

/** Abuse: hostile input against real instances. One file after another, because some files measure pauses and memory. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['tests/abuse/**/*.abuse.ts', ...ATTACKS],
    globalSetup: ['tests/setup/global.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // The contract fuzzer runs for many minutes; every other test takes seconds.
    testTimeout: 2_400_000,
    hookTimeout: 180_000,
    teardownTimeout: 60_000,
    reporters: ['verbose', new FiguresReporter(ATTACKS)],
  },
});
