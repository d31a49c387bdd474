import { describe, expect, test } from 'vitest';
import { conceptTags, fileLabel, glossaryOf, programsOf, toolLabel } from '../../../domain/graph/names.ts';

describe('programs of a command line', () => {
  test.each([
    ['npm test', ['npm']],
    ['cd api && npx vitest run; git status', ['vitest', 'git']],
    ['A=1 B=2 sudo docker compose up -d', ['docker']],
    ['/usr/bin/psql -c "select 1" | grep x', ['psql']],
    ['npx tsc@5 --noEmit', ['tsc']],
    ['ls -la && cat a | head', []],
    ['git add . && git commit', ['git']],
    ['', []],
    ['"$(weird)" <<EOF', []],
    ['python3 <<EOF\nimport os\nfrom a import b\nEOF', ['python3']],
    ["git commit -m 'Add a\nUpdate; remove b'", ['git']],
    ['node -e "import x; y()" && make', ['node', 'make']],
    ['python -c "import os; home = 1', ['python']],
    ['home = 1; import os; make', ['make']],
  ])('%s', (command, programs) => {
    expect(programsOf(command)).toEqual(programs);
  });
});

test.each([
  ['Bash', null],
  ['Read', null],
  ['mcp__sentry__get_issue', 'sentry: get_issue'],
  ['apply_patch', 'apply_patch'],
])('the tool %s is called %s', (tool, label) => {
  expect(toolLabel(tool)).toBe(label);
});

test.each([
  ['/src/app/lib/a.ts', 'lib/a.ts'],
  ['/src/app/packages/b/c.ts', 'c.ts'],
  ['/src/application/a.ts', '/src/application/a.ts'],
  ['./a.ts', 'a.ts'],
  ['C:\\work\\app\\a.ts', 'a.ts'],
  ['/src/app/', null],
  ['  ', null],
  ['`a.md`, `b.md`', null],
])('%s is known as %s', (path, label) => {
  expect(fileLabel(path, ['/src/app', '/src/app/packages/b/', 'C:\\work\\app', ''])).toBe(label);
});

test('tags of kinds, extensions and single letters are no concepts', () => {
  expect(conceptTags(['Preference', 'ts', 'x', 'rounding', 'bugfix', 'payment flow', 'y'.repeat(80)])).toEqual([
    'rounding',
    'payment flow',
  ]);
});

describe('a glossary', () => {
  test('has each name once, on one line', () => {
    expect(glossaryOf(['a.ts', 'A.ts', ' b\n c ', '', 'x'.repeat(81)])).toEqual(['a.ts', 'b c']);
  });

  test('has at most forty names and about 300 tokens', () => {
    const names = glossaryOf(Array.from({ length: 100 }, (_, n) => `name-${n}`));
    expect(names).toHaveLength(40);
    const long = glossaryOf(Array.from({ length: 100 }, (_, n) => `${String(n).padStart(3, '0')}${'é'.repeat(60)}`));
    expect(Buffer.byteLength(long.join(', '), 'utf8')).toBeLessThanOrEqual(1_200);
    expect(long.length).toBeGreaterThan(5);
  });
});
