import { describe, expect, test } from 'vitest';
import { findDuplicates, matchPrompts } from '../../../domain/transcripts/match.ts';
import type { StoredPrompt, ServedPrompt } from '../../../domain/transcripts/match.ts';
import { quietFor, currentOf } from '../../../domain/transcripts/progress.ts';
import { processorMs } from '../../setup/processor-time.ts';

const MINUTE_MS = 60_000;
const line = (uuid: string, hash: string, minute: number, more: Partial<ServedPrompt> = {}): ServedPrompt => ({
  uuid,
  type: 'user',
  agentId: null,
  agentGuessed: false,
  hashes: [hash],
  atMs: minute * MINUTE_MS,
  untilMs: null,
  ...more,
});
const stored = (seq: number, sha256: string, minute: number, more: Partial<StoredPrompt> = {}): StoredPrompt => ({
  rowId: `row-${seq}`,
  seq,
  type: 'user',
  agentId: null,
  sha256,
  atMs: minute * MINUTE_MS,
  ownTime: true,
  source: 'hook',
  taken: false,
  hashes: [],
  ...more,
});
const pairs = (matched: Map<string, StoredPrompt>) =>
  Object.fromEntries([...matched].map(([uuid, row]) => [uuid, row.seq]));

describe('which stored prompt a line is', () => {
  test.each([
    ['all are there', [line('a', 'x', 0), line('b', 'y', 1)], [stored(1, 'x', 0), stored(2, 'y', 1)], { a: 1, b: 2 }],
    ['one is missing', [line('a', 'x', 0), line('b', 'y', 1)], [stored(2, 'y', 1)], { b: 2 }],
    ['the nearest of equals', [line('a', 'x', 0), line('b', 'x', 60)], [stored(1, 'x', 60)], { b: 1 }],
    ['out of order', [line('a', 'x', 0), line('b', 'y', 1)], [stored(1, 'y', 1), stored(2, 'x', 0)], { a: 2, b: 1 }],
    [
      'late and without a time',
      [line('a', 'x', 0), line('b', 'x', 1)],
      [stored(1, 'x', 900, { ownTime: false }), stored(2, 'x', 901, { ownTime: false })],
      { a: 2, b: 1 },
    ],
    ['another form of the same', [line('a', 'x', 0, { hashes: ['x', 'z'] })], [stored(1, 'z', 0)], { a: 1 }],
    ['other words at the same moment', [line('a', 'x', 0)], [stored(1, 'y', 0)], { a: 1 }],
    ['other words at another time', [line('a', 'x', 0)], [stored(1, 'y', 1)], {}],
    ['another speaker', [line('a', 'x', 0)], [stored(1, 'x', 0, { type: 'assistant' })], {}],
    [
      'a sub-agent',
      [line('a', 'x', 0, { agentId: 'g' })],
      [stored(1, 'x', 0), stored(2, 'x', 0, { agentId: 'g' })],
      { a: 2 },
    ],
    [
      'a sub-agent by its chain',
      [line('a', 'x', 0, { agentId: 'sidechain-u', agentGuessed: true })],
      [stored(2, 'x', 0, { agentId: 'g' })],
      { a: 2 },
    ],
    ['a row that another line is', [line('a', 'x', 0)], [stored(1, 'x', 0, { taken: true })], {}],
    ['a row that a transcript brought', [line('a', 'x', 0)], [stored(1, 'x', 0, { source: 'transcript' })], {}],
    ['a line without a time', [line('a', 'x', 0, { atMs: null })], [stored(1, 'x', 5)], { a: 1 }],
  ])('%s', (_what, lines, rows, expected) => {
    expect(pairs(matchPrompts(lines, rows))).toEqual(expected);
  });

  test('of one text as many lines stay alone as there are more of them, in any order of arrival', () => {
    for (let lines = 0; lines < 6; lines += 1)
      for (let rows = 0; rows < 6; rows += 1) {
        const given = Array.from({ length: lines }, (_, index) => line(`l${index}`, 'x', index * 7));
        const have = Array.from({ length: rows }, (_, index) => stored(index + 1, 'x', ((index * 5) % 6) * 11));
        const matched = matchPrompts(given, have);
        expect(matched.size).toBe(Math.min(lines, rows));
        expect(new Set([...matched.values()].map((row) => row.seq)).size).toBe(matched.size);
      }
  });

  test('thousands of the same words are joined in time', () => {
    const given = Array.from({ length: 3_000 }, (_, index) => line(`l${index}`, 'x', index));
    const have = Array.from({ length: 3_000 }, (_, index) => stored(index + 1, 'x', index));
    const spentMs = processorMs(() => expect(matchPrompts(given, have).size).toBe(3_000));
    expect(spentMs).toBeLessThan(3_000);
  });
});

describe('late duplicates', () => {
  const brought = stored(1, 'x', 10, { source: 'transcript', taken: true, hashes: ['x', 'z'] });
  test.each([
    ['the same with its own time', stored(2, 'x', 10), true],
    ['another form of it', stored(2, 'z', 11), true],
    ['from a spool that knows no time', stored(2, 'x', 900, { ownTime: false, source: 'spool' }), true],
    ['repeated later', stored(2, 'x', 20), false],
    ['captured live without a time', stored(2, 'x', 20, { ownTime: false }), false],
    ['another speaker', stored(2, 'x', 10, { type: 'assistant' }), false],
    ['a sub-agent', stored(2, 'x', 10, { agentId: 'g' }), false],
    ['one that belongs to a line', stored(2, 'x', 10, { taken: true }), false],
    ['other words', stored(2, 'y', 10), false],
  ])('%s', (_what, late, expected) => {
    expect(findDuplicates([brought, late]).map(({ keep, drop }) => [keep.seq, drop.seq])).toEqual(
      expected ? [[1, 2]] : [],
    );
  });

  test('matches one row to one late delivery', () => {
    expect(findDuplicates([brought, stored(2, 'x', 10), stored(3, 'x', 10)])).toHaveLength(1);
  });
});

describe('when a file is read', () => {
  const limits = { quietMs: MINUTE_MS, idleMs: 30 * MINUTE_MS };
  const day = 1_440;
  const file = { size: 10, modifiedAtMs: 0 };
  const looked = (minute: number, more: Record<string, unknown> = {}) => ({
    ...file,
    open: true,
    lookedAtMs: minute * MINUTE_MS,
    ...more,
  });
  test.each([
    ['new and quiet', null, 2, 'due'],
    ['new and being written', null, 0.5, 'waiting'],
    ['grown', looked(1, { size: 9 }), 2, 'due'],
    ['replaced', looked(1, { modifiedAtMs: -5 }), 2, 'due'],
    ['read, its end open', looked(2), 20, 'unchanged'],
    ['read, and quiet for long since', looked(2), 31, 'due'],
    ['read when it was quiet for long', looked(31), 40, 'unchanged'],
    ['read, and abandoned since', looked(31), day + 1, 'due'],
    ['read after that', looked(day + 1), 3 * day, 'unchanged'],
    ['read to a closed end', looked(2, { open: false }), 3 * day, 'unchanged'],
  ])('%s', (_what, before, minute, expected) => {
    expect(currentOf(file, before, minute * MINUTE_MS, limits)).toBe(expected);
  });

  test('reads a file with a time in the future', () => {
    expect(quietFor(10 * day * MINUTE_MS, 0)).toBeGreaterThan(limits.idleMs);
    expect(quietFor(MINUTE_MS, 0)).toBe(0);
  });
});
