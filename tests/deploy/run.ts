import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { missingTools } from './support/tools.ts';

// These tests need Go and Python, which Recollect itself does not: without them they are left out, with the reason.
const missing = missingTools();
if (missing.length > 0) {
  process.stdout.write(`tests of deploy/ were skipped: ${missing.join('; ')}\n`);
} else {
  const config = path.join(import.meta.dirname, 'vitest.config.ts');
  const { status } = spawnSync('vitest', ['run', '--config', config, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
}
