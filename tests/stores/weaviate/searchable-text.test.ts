import { expect, test } from 'vitest';
import { indexedText, queryText } from '../../../stores/weaviate/searchable-text.ts';

test.each([
  ['plain prose and src/a_b.ts stay', 'plain prose and src/a_b.ts stay'],
  ['call useMemo now', 'call useMemo use Memo now'],
  ['HTTPServer2', 'HTTPServer2 HTTP Server 2'],
  ['JSON and Title stay', 'JSON and Title stay'],
  ['记忆', ' 记忆 '],
  ['修复数据库 ok', ' 修复 复数 数据 据库  ok'],
  ['カタカナ', ' カタ タカ カナ '],
  ['', ''],
])('%j is indexed as %j', (text, expected) => {
  expect(indexedText(text)).toBe(expected);
});

test('a query keeps its identifiers whole, and cuts unspaced scripts like the index', () => {
  expect(queryText('useMemo 数据库')).toBe('useMemo  数据 据库 ');
});
