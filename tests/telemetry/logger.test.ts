import { expect, test } from 'vitest';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { reportWithUnwritableOutput } from '../setup/unwritable-output.ts';

const LOGGER = pathToFileURL(path.resolve(import.meta.dirname, '../../telemetry/logger.ts')).href;

/** Fills the buffer with each line, so that it is written at once. */
const SCRIPT = `
  import { createLogger } from ${JSON.stringify(LOGGER)};
  const logger = createLogger('test', 'info');
  let lines = 0;
  setInterval(() => {
    logger.info('x'.repeat(300_000));
    lines += 1;
    if (lines === 8) process.stderr.write('continues');
  }, 10);
`;

test('a process continues if its log cannot be written', async () => {
  expect(await reportWithUnwritableOutput(SCRIPT)).toBe('continues');
});
