import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The unit tests of one folder, which `run.ts` sets as `dir`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['**/!(*.integration).test.ts'],
    // As in the suite. Each run of Stryker starts a new process with one mutant: no file imports another one.
    isolate: false,
  },
});
