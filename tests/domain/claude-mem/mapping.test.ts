import { expect, test } from 'vitest';
import { flatCounts, reportOf, tableCounts } from '../../../domain/claude-mem/counts.ts';
import { listOf, tagsOf } from '../../../domain/claude-mem/lists.ts';
import { hostOf, sessionOf } from '../../../domain/claude-mem/session-name.ts';

const row = {
  id: 1,
  content_session_id: null,
  memory_session_id: null,
  platform_source: null,
  project: null,
  session_project: null,
  created_at_epoch: null,
};

test('parses a list as JSON, or as the single entry of an old row', () => {
  expect(listOf('["a", " b ", "", null, 3]')).toEqual(['a', 'b', '3']);
  expect(listOf('src/a.ts')).toEqual(['src/a.ts']);
  expect(listOf('"quoted"')).toEqual(['quoted']);
  expect(listOf('{"a":1}')).toEqual(['{"a":1}']);
  expect([listOf(null), listOf(' '), listOf('[]')]).toEqual([[], [], []]);
});

test('splits a concept with a text into tag and text', () => {
  const long = 'a sentence that is far too long to be the name of anything at all, without a mark in it';
  expect(tagsOf(['gotcha: long text', 'gotcha', 'pattern:', ': odd', long])).toEqual({
    tags: ['gotcha', 'pattern'],
    texts: ['gotcha: long text', ': odd', long],
  });
});

test('identifies a session by platform and name; generated names are local to their database', () => {
  expect(['claude', null, 'Codex', 'cursor', 'My Tool!', ''].map(hostOf)).toEqual([
    'claude-code',
    'claude-code',
    'codex-cli',
    'cursor',
    'my-tool-',
    'claude-code',
  ]);
  expect(sessionOf('f', { ...row, content_session_id: 'c', session_project: 'shop', project: 'other' })).toEqual({
    host: 'claude-code',
    externalId: 'c',
    project: 'shop',
    kind: 'session',
  });
  expect(sessionOf('f', { ...row, memory_session_id: 'm' })).toMatchObject({
    externalId: 'claude-mem:f:m',
    kind: 'orphan',
  });
  expect(sessionOf('f', { ...row, memory_session_id: 'manual-shop' })).toMatchObject({
    externalId: 'claude-mem:f:manual-shop',
    kind: 'manual',
  });
});

test('a row without an outcome, and one that is not known here though it came, are unaccounted for', () => {
  const counts = tableCounts(4, ['imported', 'present', 'private', 'refused']);
  const unaccounted = (source_rows: number, recorded_rows: number | null) =>
    reportOf(
      flatCounts('observations', { ...counts, source_rows }),
      recorded_rows === null ? null : { observations: recorded_rows },
    ).find(({ table }) => table === 'observations')?.unaccounted;
  expect([unaccounted(4, 2), unaccounted(4, null), unaccounted(4, 9)]).toEqual([0, 0, 0]);
  expect([unaccounted(5, 2), unaccounted(3, 2), unaccounted(4, 1)]).toEqual([1, 1, 1]);
});
