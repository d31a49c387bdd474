import { describe, expect, it } from 'vitest';
import { callsOf, readableError } from '../../../models/local/calls.ts';
import { answers, readCommand } from '../../../models/local/commands.ts';
import { isTestFirst, repairsOf } from '../../../models/local/repairs.ts';
import { edited, ran, rowsFrom } from '../rows.ts';

describe('readCommand', () => {
  it.each([
    ['npm test', 'test', 'npm test', 'npm test'],
    [
      'cd /repo && source .venv/bin/activate && pytest -q tests/a_test.py',
      'test',
      'pytest',
      'pytest -q tests/a_test.py',
    ],
    [
      'NODE_ENV=test npx vitest run tests/a.test.ts 2>&1 | tail -n 20',
      'test',
      'vitest run',
      'npx vitest run tests/a.test.ts',
    ],
    ['npx tsc --noEmit', 'types', 'tsc', 'npx tsc --noEmit'],
    ['git add -A && git commit -m "Fix the tests"', 'vcs', 'git commit', 'git commit -m "Fix the tests"'],
    ['cat src/test.ts', 'look', 'cat', 'cat src/test.ts'],
    ['uv pip install -e .', 'install', 'uv pip', 'uv pip install -e .'],
    ['npm run build', 'build', 'npm run', 'npm run build'],
  ])('%s', (input, family, key, line) => {
    expect(readCommand(input)).toMatchObject({ family, key, line });
  });

  it('compares runs by their target', () => {
    const one = readCommand('vitest run tests/a.test.ts');
    expect(answers(readCommand('vitest run tests/b.test.ts'), one)).toBe(false);
    expect(answers(readCommand('npm test'), one)).toBe(true);
    expect(answers(readCommand('tsc'), one)).toBe(false);
    expect(answers(readCommand('git push'), readCommand('git pull'))).toBe(false);
  });
});

const outcome = (command: string, output: string, failed = false): string | undefined =>
  callsOf(rowsFrom([ran(command, output, failed)]))[0]?.outcome;

describe('callsOf', () => {
  it.each([
    ['npm test', 'ℹ pass 11\nℹ fail 0', 'passed'],
    ['npm test', 'ℹ pass 10\nℹ fail 1', 'failed'],
    ['pytest', '===== 12 passed in 0.2s =====', 'passed'],
    ['pytest', '== 1 failed, 11 passed in 0.2s ==', 'failed'],
    ['npx tsc --noEmit', '', 'passed'],
    ['npx tsc --noEmit', "src/a.ts(1,2): error TS2345: Argument of type 'x'", 'failed'],
    ['ruff check .', 'All checks passed!', 'passed'],
    ['cat log.txt', 'Error handling\n3 failed', 'passed'],
    ['cat nothing.txt', 'cat: nothing.txt: No such file or directory', 'failed'],
    ['uvx tool', '(eval):1: command not found: uvx', 'failed'],
    ['python run.py', 'Traceback (most recent call last):\nValueError: bad', 'failed'],
    ['git log', 'abc1234 Fix: 3 failed tests', 'passed'],
  ])('%s → %s', (command, output, expected) => {
    expect(outcome(command, output)).toBe(expected);
  });

  it('believes the host before the words', () => {
    expect(outcome('npm test', '12 passed', true)).toBe('failed');
  });

  it.each([
    [
      'an assertion with its values',
      "✖ adds up (2ms)\n  AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n  '1' !== '2'\n",
      "AssertionError [ERR_ASSERTION]: Expected values to be strictly equal:\n\n  '1' !== '2'",
    ],
    ['a compiler error', 'warning: x\nerror[E0382]: borrow of moved value\n', 'error[E0382]: borrow of moved value'],
    [
      'a Python error',
      'File "a.py"\nE   ModuleNotFoundError: No module named \'x\'\n',
      "E   ModuleNotFoundError: No module named 'x'",
    ],
    ['nothing but a header', '===== test session starts =====\n', ''],
  ])('quotes %s', (_, output, line) => {
    const [call] = callsOf(rowsFrom([ran('npm test', output, true)]));
    expect(call?.errorLine).toBe(line);
    expect(call?.row.content).toContain(line);
  });

  it('names the failing test', () => {
    const [call] = callsOf(rowsFrom([ran('npm test', '✖ failing tests:\n✖ adds up (2ms)', true)]));
    expect(call?.failedTest).toBe('adds up');
  });

  it('shows errors to people without the marks of the runner', () => {
    expect(readableError("E   ModuleNotFoundError: No module named 'x'")).toBe(
      "ModuleNotFoundError: No module named 'x'",
    );
    expect(readableError('(eval):1: command not found: uv')).toBe('command not found: uv');
  });
});

describe('repairsOf', () => {
  it('distinguishes wrong edits from effective ones', () => {
    const calls = callsOf(
      rowsFrom([
        ran('npm test', '1 failed', true),
        edited('a.ts', '1', '2'),
        ran('npm test', '2 failed', true),
        edited('b.ts', '1', '2'),
        ran('npm test', '9 passed'),
      ]),
    );
    const [repair, ...others] = repairsOf(calls);
    expect(others).toEqual([]);
    expect(repair?.failures).toHaveLength(2);
    expect(repair?.wrongEdits.map(({ row }) => row.id)).toEqual(['row-2']);
    expect(repair?.edits.map(({ row }) => row.id)).toEqual(['row-4']);
  });

  it('leaves a failure open that another command passes', () => {
    const calls = callsOf(
      rowsFrom([ran('npm test', '1 failed', true), edited('a.ts', '1', '2'), ran('npx eslint .', 'ok')]),
    );
    expect(repairsOf(calls)).toEqual([]);
  });

  it('ignores an edit that failed', () => {
    const failed = { ...edited('a.ts', '1', '2'), type: 'error' as const, filesModified: [] };
    const calls = callsOf(rowsFrom([ran('npm test', '1 failed', true), failed, ran('npm test', '9 passed')]));
    expect(repairsOf(calls)[0]?.edits).toEqual([]);
  });

  it('sees a test that was written to fail', () => {
    const failing = ran('npm test', '✖ adds up (2ms)', true);
    const tail = [failing, edited('src/a.ts', '1', '2'), ran('npm test', '9 passed')];
    const planned = callsOf(rowsFrom([edited('test/a.test.ts', '', "test('adds up', () => {"), ...tail]));
    const found = callsOf(rowsFrom([edited('test/a.test.ts', '', "test('other', () => {"), ...tail]));
    expect(repairsOf(planned).map((repair) => isTestFirst(repair, planned))).toEqual([true]);
    expect(repairsOf(found).map((repair) => isTestFirst(repair, found))).toEqual([false]);
  });
});
