import { describe, expect, test } from 'vitest';
import { excerptOf } from '../../viewer/pages/search/excerpt.ts';
import { SEARCH, completed, prefixOf, queryOf, toggled } from '../../viewer/pages/search/query.ts';
import { readQuery } from '../../viewer/router/query.ts';

describe('an excerpt', () => {
  test('is a short text unchanged', () => {
    const ranges = [{ start: 1, end: 3 }];
    expect(excerptOf('abcdef', ranges, 6)).toEqual({ text: 'abcdef', ranges });
  });

  test.each([0, 85, 90, 91, 500, 1_000, 1_985, 1_995])('contains the first highlight, at %i', (start) => {
    const text = `${'.'.repeat(start)}WORD${'.'.repeat(2_000 - start)}`;
    const excerpt = excerptOf(text, [{ start, end: start + 4 }], 300);
    expect(excerpt.text.length).toBeLessThanOrEqual(302);
    expect(excerpt.ranges.map((range) => excerpt.text.slice(range.start, range.end))).toEqual(['WORD']);
  });

  test('leaves out other highlights, and cuts no character in two', () => {
    const text = '😀'.repeat(1_000);
    const excerpt = excerptOf(
      text,
      [
        { start: 1_000, end: 1_002 },
        { start: 1_900, end: 1_902 },
      ],
      201,
    );
    expect(excerpt.text.isWellFormed()).toBe(true);
    expect(excerpt.ranges).toHaveLength(1);
    expect(excerptOf(text, [], 201).text.isWellFormed()).toBe(true);
  });
});

test.each([
  ['money ro', 'ro', { text: 'rounding', kind: 'entity' as const, count: 1 }, 'money rounding'],
  ['fix #op', '#op', { text: 'dev ops', kind: 'tag' as const, count: 1 }, 'fix tag:"dev ops"'],
  ['fix dev', 'dev', { text: 'dev ops', kind: 'tag' as const, count: 1 }, 'fix tag:"dev ops"'],
  ['money.t', 'money.t', { text: 'src/money.ts', kind: 'file' as const, count: 1 }, 'file:src/money.ts'],
  ['some half', 'half', { text: 'Round half even', kind: 'title' as const, count: 1 }, 'Round half even'],
  ['a', null, { text: 'abc', kind: 'entity' as const, count: 1 }, 'abc'],
  ['done ', null, { text: 'abc', kind: 'entity' as const, count: 1 }, 'done abc'],
])('completes the last word of %j', (typed, prefix, suggestion, query) => {
  expect(prefixOf(typed)).toBe(prefix);
  expect(completed(typed, suggestion)).toBe(query);
});

test('adds tags to a list and removes them', () => {
  expect(toggled(undefined, 'a')).toBe('a');
  expect(toggled('a', 'b')).toBe('a,b');
  expect(toggled('a,b', 'a')).toBe('b');
  expect(toggled('a', 'a')).toBeUndefined();
});

test('sends a search of the address as the API has it, and leaves out what is not set', () => {
  const search = readQuery(SEARCH, '?q=x&type=learning,nonsense,prompt&since=2026-01-02&by_session=true&offset=900');
  expect(queryOf(search, 'x')).toEqual({
    q: 'x',
    type: 'prompt,learning',
    since: new Date('2026-01-02T00:00:00').toISOString(),
    group_by: 'session',
    limit: 20,
    offset: 0,
  });
});
