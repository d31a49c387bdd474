import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { FiguresReporter } from './figures-reporter.ts';

/** Files of the suite in which each test is an attack; they run here again, so that one command runs all attacks. */
const ATTACKS = [
  'tests/hook/project/hostile-folder.test.ts',
  'tests/api/access/matrix.test.ts',
  'tests/api/http/bodies.test.ts',
  'tests/api/http/limit-evasion.test.ts',
  'tests/api/operations/legal-holds.test.ts',
  'tests/api/http/local-caller.test.ts',
  'tests/api/http/methods.test.ts',
  'tests/api/http/odd-requests.test.ts',
  'tests/api/http/rights.test.ts',
  'tests/api/capture/session-owner.test.ts',
  'tests/api/memories/shared-knowledge.test.ts',
  'tests/stores/archive/journal.test.ts',
  'tests/activities/restore/carry-access.test.ts',
  'tests/activities/export-import/settings.test.ts',
];

/** Abuse tests send hostile input to real instances. Files run one after another: some measure pauses and memory. */
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
