import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../cli/install/unified-diff.ts';
import { randomFrom } from '../../domain/support/random.ts';

/** Applies a unified diff strictly. @throws Error if a line is not at its position */
function apply(text: string, diff: string): string {
  const old = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const out: string[] = [];
  let at = 0;
  const demand = (fits: boolean, line: string): void => {
    if (!fits) throw new Error(`the diff does not fit at ${line}`);
  };
  for (const line of diff.split('\n').slice(2, -1)) {
    const head = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(line);
    if (head !== null) {
      const from = Number(head[1]) - (Number(head[2]) === 0 ? 0 : 1);
      while (at < from) out.push(old[at++] ?? 'missing');
      demand(out.length === Number(head[3]) - (Number(head[4]) === 0 ? 0 : 1), line);
      continue;
    }
    if (!line.startsWith('+')) demand(old[at++] === line.slice(1), line);
    if (!line.startsWith('-')) out.push(line.slice(1));
  }
  return [...out, ...old.slice(at)].map((line) => `${line}\n`).join('');
}

describe('a unified diff', () => {
  it('is empty for the same text', () => {
    expect(unifiedDiff('f', 'a\n', 'a\n')).toBe('');
  });

  it('shows three lines around a change', () => {
    const before = Array.from({ length: 12 }, (_, index) => `${index}\n`).join('');
    expect(unifiedDiff('f', before, before.replace('5\n', 'five\n'))).toBe(
      '--- f\n+++ f\n@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n',
    );
  });

  it('shows all lines of a new or removed file', () => {
    expect(unifiedDiff('f', '', 'a\nb\n')).toBe('--- f\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n');
    expect(unifiedDiff('f', 'a\n', '')).toBe('--- f\n+++ f\n@@ -1,1 +0,0 @@\n-a\n');
  });

  it('turns any text into any other', () => {
    const random = randomFrom(3);
    const text = (lines: number) => Array.from({ length: lines }, () => `${Math.floor(random() * 6)}\n`).join('');
    const pairs = Array.from(
      { length: 300 },
      () => [text(Math.floor(random() * 25)), text(Math.floor(random() * 25))] as const,
    );
    const different = pairs.filter(([before, after]) => before !== after);
    expect(different.map(([before, after]) => apply(before, unifiedDiff('f', before, after)))).toEqual(
      different.map(([, after]) => after),
    );
  });

  it('stays fast if everything differs', () => {
    const [before, after] = ['a', 'b'].map((sign) =>
      Array.from({ length: 20_000 }, (_, index) => `${sign}${index}\n`).join(''),
    );
    const diff = unifiedDiff('f', before ?? '', after ?? '');
    expect(diff.split('\n')).toHaveLength(40_004);
  });
});
