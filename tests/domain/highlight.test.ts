import { describe, expect, it } from 'vitest';
import { highlightsOf, MAX_HIGHLIGHTS } from '../../domain/highlight.ts';
import { processorMs } from '../setup/processor-time.ts';

/** Returns the content with each range in square brackets; '' without ranges. */
function marked(content: string, query: string): string {
  const ranges = highlightsOf({ title: '', content }, query);
  const written = ranges.toReversed().reduce((text, { start, end }) => {
    return `${text.slice(0, start)}[${text.slice(start, end)}]${text.slice(end)}`;
  }, content);
  return ranges.length === 0 ? '' : written;
}

describe('marks', () => {
  it.each([
    ['a word', 'The build failed here.', 'build', 'The [build] failed here.'],
    ['any case', 'BUILD Build build', 'bUiLd', '[BUILD] [Build] [build]'],
    [
      'a plural and a participle',
      'migrations, migrated, migrating',
      'migrates',
      '[migrations], [migrated], [migrating]',
    ],
    ['not inside another word', 'rebuild xbuild', 'build', ''],
    ['complete code names', 'call user_id of snake_case', 'snake_case', 'call user_id of [snake_case]'],
    ['no stop words', 'what is the one with that', 'what was the one with this', 'what is the [one] with that'],
    ['no short words', 'a to be or', 'to be or', ''],
    ['nothing for nothing', 'text', '', ''],
    ['nothing for signs alone', 'a.*b', '.* ?? (', ''],
    ['nothing in nothing', '', 'word', ''],
    ['accents', 'Größe prüfen', 'größe', '[Größe] prüfen'],
    ['Cyrillic', 'ошибка сборки', 'ошибка', '[ошибка] сборки'],
  ])('%s', (_, text, query, expected) => {
    expect(marked(text, query)).toBe(expected);
  });
});

describe('scripts without spaces', () => {
  it.each([
    ['Chinese inside a sentence', '根本原因是时区设置。', '时区设置是什么', '根本原因是[时区设置]。'],
    ['two characters', '根本原因是时区设置。', '时区', '根本原因是[时区]设置。'],
    ['one character', '黑猫', '猫', '黑[猫]'],
    ['other characters', '根本原因', '时区', ''],
    ['Japanese', 'サーバーのエラーを直した', 'エラー', 'サーバーの[エラー]を直した'],
    ['Latin words between them', '修复useMemo的问题', 'useMemo', '修复[useMemo]的问题'],
    ['a question of both', 'useMemo and 时区', 'useMemo时区', '[useMemo] and [时区]'],
  ])('%s', (_, text, query, expected) => {
    expect(marked(text, query)).toBe(expected);
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
    expect(marked('some word here', query)).toBe('some [word] here');
  });

  it('in a text are left as they are', () => {
    expect(marked('cost $& word $1 (x)', 'word')).toBe('cost $& [word] $1 (x)');
  });
});

describe('ranges', () => {
  it('name the field and are in code units of its text, with markup in it as text', () => {
    const memory = { title: '😀 <mark>word</mark>', content: 'a\n\n<b>word</b>' };
    const ranges = highlightsOf(memory, 'word');
    expect(ranges.map(({ field, start, end }) => [field, start, memory[field].slice(start, end)])).toEqual([
      ['title', 9, 'word'],
      ['content', 6, 'word'],
    ]);
  });

  it('are limited, the title first', () => {
    const ranges = highlightsOf({ title: 'word word', content: 'word '.repeat(MAX_HIGHLIGHTS) }, 'word');
    expect(ranges).toHaveLength(MAX_HIGHLIGHTS);
    expect(ranges.filter(({ field }) => field === 'title')).toHaveLength(2);
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
    expect(processorMs(() => highlightsOf({ title: '', content: text }, query))).toBeLessThan(1_500);
  });
});
