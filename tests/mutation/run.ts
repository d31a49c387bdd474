import { Stryker } from '@stryker-mutator/core';

interface Subject {
  readonly mutate: string;
  /** Folder of the unit tests that run against each mutant. */
  readonly tests: string;
  /** Only test files that import the mutated file run. Finding them takes longer than running the few files of most folders. */
  readonly related: boolean;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  windows: { mutate: 'domain/windows.ts', tests: 'tests/domain', related: true },
  ranking: { mutate: 'domain/ranking/**/*.ts', tests: 'tests/domain/ranking', related: false },
  capture: { mutate: 'domain/capture/**/*.ts', tests: 'tests/domain/capture', related: false },
  redaction: { mutate: 'domain/redaction/**/*.ts', tests: 'tests/domain/redaction', related: false },
};

const names = process.argv.slice(2);
for (const name of names.length === 0 ? Object.keys(SUBJECTS) : names) {
  const subject = SUBJECTS[name];
  if (subject === undefined) throw new Error(`no subject ${name}; choose from ${Object.keys(SUBJECTS).join(', ')}`);
  const { mutate, tests, related } = subject;
  await new Stryker({
    configFile: 'tests/mutation/stryker.config.json',
    mutate: [mutate],
    vitest: { configFile: 'tests/mutation/vitest.config.ts', dir: tests, related },
    jsonReporter: { fileName: `coverage/mutation/${name}.json` },
  }).runMutationTest();
}
