import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The unit tests of one folder, which `run.ts` sets as `dir`. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: {
    include: ['**/!(*.integration).test.ts'],
    // As in the suite. The worker ends with the run of a mutant: none stays imported for the next one.
    isolate: false,
  },
});
