import { expect, test } from 'vitest';
import { indexedText, queryText } from '../../../stores/weaviate/searchable-text.ts';

test.each([
  ['The tests were failing again', 'test fail'],
  ['see src/api/health_check.ts', 'see src/api/health_check.ts health_check.ts src api health check ts'],
  ['call useMemo now', 'call usememo us memo now'],
  ['HTTPServer2', 'httpserver2 http server 2'],
  ['JSON and Title stay', 'json titl stai'],
  ['E0277, TS2345 in v1.35.2', 'e0277 ts2345 v1.35.2 v1 35 2'],
  ['a well-known case', 'well known case'],
  ['记忆', '记忆 记 忆'],
  ['修复数据库 ok', '修复 复数 数据 据库 修 复 数 据 库 ok'],
  ['カタカナ', 'カタ タカ カナ カ タ カ ナ'],
  ['데이터베이스를', '데이 이터 터베 베이 이스 스를 데 이 터 베 이 스 를'],
  ['ﬁle Ｔｅｘｔ', 'file text'],
  ['what was it', ''],
  ['', ''],
])('%j is indexed as %j', (text, expected) => {
  expect(indexedText(text)).toBe(expected);
});

test('a name that no person typed is findable by its parts alone', () => {
  const token = `https://example.org/${'a1'.repeat(80)}`;
  expect(indexedText(token).split(' ')).toEqual(['http', 'exampl', 'org', 'a1'.repeat(80)]);
});

test.each([
  ['How did we fix the failing test, and which tests failed?', 'fix fail test'],
  ['useMemo 数据库', 'usememo us memo 数据 据库'],
  ['库', '库'],
  ['what was it', ''],
])('%j is queried as %j', (question, expected) => {
  expect(queryText(question)).toBe(expected);
});
