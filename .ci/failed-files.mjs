import { writeFileSync } from 'node:fs';
import { processEnvironment } from '../config/process-environment.ts';

/**
 * A reporter of Vitest: writes the test files that failed to the file in FAILED_FILES, one per line. None if something else failed, too: an error
 * outside of the tests, or a file that has no result.
 */
export default class FailedFiles {
  specifications = 0;

  onTestRunStart(specifications) {
    this.specifications = specifications.length;
  }

  onTestRunEnd(modules, errors, reason) {
    const onlyTests = reason === 'failed' && errors.length === 0 && modules.length === this.specifications;
    const failed = onlyTests ? modules.filter((module) => !module.ok()) : [];
    const lines = failed.map(({ relativeModuleId }) => `${relativeModuleId}\n`);
    writeFileSync(processEnvironment().FAILED_FILES, lines.join(''));
  }
}
