import { describe, expect, it } from 'vitest';
import { highlight } from '../../domain/highlight.ts';

describe('marks', () => {
  it.each([
    ['a word', 'The build failed here.', 'build', ['The <mark>build</mark> failed here.']],
    ['any case', 'BUILD Build build', 'bUiLd', ['<mark>BUILD</mark> <mark>Build</mark> <mark>build</mark>']],
    [
      'a plural and a participle',
      'migrations, migrated, migrating',
      'migrates',
      ['<mark>migrations</mark>, <mark>migrated</mark>, <mark>migrating</mark>'],
    ],
    ['not inside another word', 'rebuild xbuild', 'build', []],
    ['complete code names', 'call user_id of snake_case', 'snake_case', ['call user_id of <mark>snake_case</mark>']],
    [
      'no stop words',
      'what is the one with that',
      'what was the one with this',
      ['what is the <mark>one</mark> with that'],
    ],
    ['no short words', 'a to be or', 'to be or', []],
    ['nothing for nothing', 'text', '', []],
    ['nothing for signs alone', 'a.*b', '.* ?? (', []],
    ['nothing in nothing', '', 'word', []],
    ['accents', 'Größe prüfen', 'größe', ['<mark>Größe</mark> prüfen']],
    ['Cyrillic', 'ошибка сборки', 'ошибка', ['<mark>ошибка</mark> сборки']],
  ])('%s', (_, text, query, expected) => {
    expect(highlight(text, query)).toEqual(expected);
  });
});

describe('scripts without spaces', () => {
  it.each([
    ['Chinese inside a sentence', '根本原因是时区设置。', '时区设置是什么', ['根本原因是<mark>时区设置</mark>。']],
    ['two characters', '根本原因是时区设置。', '时区', ['根本原因是<mark>时区</mark>设置。']],
    ['one character', '黑猫', '猫', ['黑<mark>猫</mark>']],
    ['other characters', '根本原因', '时区', []],
    ['Japanese', 'サーバーのエラーを直した', 'エラー', ['サーバーの<mark>エラー</mark>を直した']],
    ['Latin words between them', '修复useMemo的问题', 'useMemo', ['修复<mark>useMemo</mark>的问题']],
    ['a question of both', 'useMemo and 时区', 'useMemo时区', ['<mark>useMemo</mark> and <mark>时区</mark>']],
  ])('%s', (_, text, query, expected) => {
    expect(highlight(text, query)).toEqual(expected);
  });
});

describe('characters that mean something to a pattern', () => {
  it.each([
    'word a.b*c(d',
    'word [z-a]',
    '(?<x>word',
    String.raw`\p{L}+ word`,
    '$& word',
    'word|',
    '^word$',
    'word{9999999999}',
    '\u0000word',
    '\uD83Dword',
  ])('in a query: %j', (query) => {
    expect(highlight('some word here', query)).toEqual(['some <mark>word</mark> here']);
  });

  it('in a text are left as they are', () => {
    expect(highlight('cost $& word $1 (x)', 'word')).toEqual(['cost $& <mark>word</mark> $1 (x)']);
  });
});

describe('snippets', () => {
  it('show the surrounding text on one line, with an ellipsis if it continues', () => {
    const text = `${'x '.repeat(100)}target\n\n  here${' y'.repeat(100)}`;
    const [snippet] = highlight(text, 'target');
    expect(snippet).toMatch(/^…(?:x )+<mark>target<\/mark> here(?: y)+…$/);
    expect(snippet?.length).toBeLessThan(200);
  });

  it('are two at most, and do not repeat one place', () => {
    expect(highlight('target target target', 'target')).toHaveLength(1);
    expect(highlight(`target${' x'.repeat(200)} target${' x'.repeat(200)} target`, 'target')).toHaveLength(2);
  });

  it('are well-formed if a cut is inside a character', () => {
    for (let shift = 0; shift < 2; shift += 1) {
      const [snippet] = highlight(`${'😀'.repeat(100)}${'x'.repeat(shift)} target ${'😀'.repeat(100)}`, 'target');
      expect(snippet?.isWellFormed()).toBe(true);
    }
  });
});

describe('time', () => {
  const MIB = 1024 * 1024;

  it.each([
    ['a text of the word alone', 'fail '.repeat(MIB / 5), 'fail failing'],
    ['one long word', 'A'.repeat(MIB), 'aaaa fail'],
    ['a text of beginnings', 'aaab '.repeat(MIB / 5), 'aaac aaad aaae'],
    ['Chinese pairs', '时区'.repeat(MIB / 2), '区设置时'],
    ['a question of 500 characters', 'abc abd abe '.repeat(MIB / 12), 'xab xac xad xae xaf xag '.repeat(21)],
    ['blanks', ' '.repeat(MIB), 'target'],
  ])('%s', (_, text, query) => {
    const started = performance.now();
    highlight(text, query);
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});
