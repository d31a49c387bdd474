import { expect, test } from 'vitest';
import { table } from '../../cli/output.ts';
import { terminalProgress } from '../../cli/text/terminal-progress.ts';
import { recordOutput } from './support/output.ts';

test('a terminal shows all running steps in one redrawn line, never wider than itself', () => {
  const context = recordOutput({}, 40);
  const progress = terminalProgress(context.output, { verbose: false });
  const postgres = progress.step('postgres');
  const engine = progress.step('engine');
  postgres.update('creating');
  engine.update('building, 12 s, 30 MiB, and so on for ever');
  const drawn = context.text().split('\r\u001b[2K').at(-1) ?? '';
  expect(drawn).toBe('postgres: creating | engine: building, ');
  postgres.done('1.2 s');
  expect(context.text()).toContain('+ postgres: 1.2 s\n');
  expect(context.text().split('\r\u001b[2K').at(-1)).toBe('engine: building, 12 s, 30 MiB, and so ');
  engine.fail('no Go');
  progress.clear();
  expect(context.text().endsWith('x engine: no Go\n\r\u001b[2K\r\u001b[2K')).toBe(true);
});

test('without a terminal there are plain lines, with rare updates of a long step', () => {
  const context = recordOutput();
  let now = 0;
  const progress = terminalProgress(context.output, { verbose: false, now: () => now });
  const step = progress.step('engine');
  for (const at of [0, 1000, 4999, 5000, 6000]) {
    now = at;
    step.update(`${at} ms`);
  }
  step.done();
  progress.clear();
  expect(context.text()).toBe('. engine: 0 ms\n. engine: 5000 ms\n+ engine\n');
});

test('verbose shows every update, also on a terminal', () => {
  const context = recordOutput({}, 80);
  const step = terminalProgress(context.output, { verbose: true }).step('a');
  step.update('one');
  step.update('two');
  expect(context.text()).toBe('. a: one\n. a: two\n');
});

test('a table has columns and no trailing space', () => {
  expect(
    table([
      ['a', 'long cell', ''],
      ['longer', 'b', 'c'],
    ]),
  ).toBe('a       long cell\nlonger  b          c\n');
  expect(table([])).toBe('');
});
