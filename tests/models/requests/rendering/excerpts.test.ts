import { describe, expect, it } from 'vitest';
import { editExcerpt } from '../../../../models/requests/rendering/row-part.ts';
import { bothEnds, shownRuns } from '../../../../models/requests/rendering/excerpt.ts';

const NOTE = /\n?\[… (\d+) characters left out\]\n?/u;

/** Returns the shown parts, and the number of characters that the notes count as omitted. */
function partsOf(shown: string): { readonly parts: readonly string[]; readonly leftOut: number } {
  const parts = shown.split(/\n?\[… \d+ characters left out\]\n?/u).filter((part) => part !== '');
  const leftOut = [...shown.matchAll(new RegExp(NOTE, 'gu'))].reduce((sum, [, count]) => sum + Number(count), 0);
  return { parts, leftOut };
}

describe('both ends', () => {
  const text = Array.from({ length: 60 }, (_, index) => `line ${String(index)} of the output`).join('\n');

  it('are the complete text if it fits, or nearly does', () => {
    expect(bothEnds(text, text.length, 0.5)).toBe(text);
    expect(bothEnds(text, text.length - 20, 0.5)).toBe(text);
  });

  it.each([0, 40, 200, 700])('of %i characters are verbatim, and omitted characters are counted', (characters) => {
    const shown = bothEnds(text, characters, 0.4);
    const { parts, leftOut } = partsOf(shown);
    for (const part of parts) expect(text).toContain(part);
    expect(parts.join('').length).toBeLessThanOrEqual(characters);
    expect(leftOut).toBeGreaterThan(text.length - characters - 3);
    expect(text.startsWith(parts[0] ?? '')).toBe(true);
  });

  it('end and start with complete lines if that costs little', () => {
    const { parts } = partsOf(bothEnds(text, 400, 0.5));
    expect(parts[0]).toMatch(/output$/u);
    expect(parts[1]).toMatch(/^line \d+ of/u);
  });

  it('never split a character', () => {
    const faces = '😀'.repeat(200);
    for (const characters of [101, 102, 103]) expect(bothEnds(faces, characters, 0.5).isWellFormed()).toBe(true);
  });
});

it('runs that are near are joined, others have a note between them', () => {
  const text = `first\n${'a'.repeat(10)}\nsecond\n${'b'.repeat(200)}\nthird\n`;
  const run = (word: string) => ({ start: text.indexOf(word), end: text.indexOf(word) + word.length + 1 });
  expect(shownRuns(text, [run('first'), run('second'), run('third')])).toBe(
    `first\n${'a'.repeat(10)}\nsecond\n[… 201 characters left out]\nthird`,
  );
  expect(shownRuns('nothing of this text is to be shown at all, only a note', [])).toBe('[… 55 characters left out]');
});

describe('an edit', () => {
  const context = Array.from({ length: 20 }, (_, index) => `unchanged line number ${String(index)}`);
  const lines = (sign: string, changed: string) =>
    [...context.slice(0, 10), changed, ...context.slice(10)].map((line) => `${sign} ${line}`);
  const stored = ['/src/limit.ts', ...lines('-', 'const limit = 10;'), ...lines('+', 'const limit = 20;')].join('\n');
  const printed = [
    '/src/limit.ts',
    '',
    'Updated /src/limit.ts with 1 addition and 1 removal',
    ...context.map((line, index) => `  ${String(index + 1)}    ${line}`),
    '  21 -  const limit = 10;',
    '  21 +  const limit = 20;',
    ...context.map((line, index) => `  ${String(index + 22)}    ${line}`),
  ].join('\n');

  it.each([
    ['stored as old and new lines', stored],
    ['printed with the numbers of its lines', printed],
  ])('%s is shown by its path and its changed lines', (_, content) => {
    const shown = editExcerpt(content, 150);
    expect(shown).toContain('/src/limit.ts');
    expect(shown).toMatch(/- {1,2}const limit = 10;/u);
    expect(shown).toMatch(/\+ {1,2}const limit = 20;/u);
    expect(shown).not.toContain('unchanged line number 5');
    for (const part of partsOf(shown).parts) expect(content).toContain(part);
  });

  it('is shown completely if it fits', () => {
    expect(editExcerpt(stored, stored.length)).toBe(stored);
  });

  it('prefers added lines over removed ones', () => {
    const rewrite = [
      '/a',
      ...Array.from({ length: 30 }, (_, index) => `- old thing ${String(index)}`),
      ...Array.from({ length: 30 }, (_, index) => `+ new thing ${String(index)}`),
    ].join('\n');
    const shown = editExcerpt(rewrite, 300);
    expect(shown.match(/new thing/gu)?.length).toBeGreaterThan(shown.match(/old thing/gu)?.length ?? 0);
  });

  it('without changed lines, or with one that is too long, is shown at both ends', () => {
    const moved = `/a\n${'- same line here\n'.repeat(30)}${'+ same line here\n'.repeat(30)}`;
    expect(editExcerpt(moved, 100)).toMatch(NOTE);
    const single = `/a\n- ${'x'.repeat(900)}\n+ ${'y'.repeat(900)}`;
    expect(editExcerpt(single, 200)).toMatch(/x{20}/u);
  });
});
