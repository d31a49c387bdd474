import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { reportWithUnwritableOutput } from '../setup/unwritable-output.ts';

const OUTPUT = pathToFileURL(path.resolve(import.meta.dirname, '../../cli/output.ts')).href;

const SCRIPT = `
  import { outliveOutput } from ${JSON.stringify(OUTPUT)};
  outliveOutput();
  process.stdout.write('a line');
  setTimeout(() => process.stderr.write('continues'), 100);
`;

test('a process that shall outlive its output continues if that cannot be written', async () => {
  expect(await reportWithUnwritableOutput(SCRIPT)).toBe('continues');
});
