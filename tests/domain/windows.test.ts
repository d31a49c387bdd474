import { describe, expect, it } from 'vitest';
import { cutWindows } from '../../domain/windows.ts';
import type { CutWindow, WindowPolicy, WindowRow } from '../../domain/windows.ts';
import { randomFrom } from './support/random.ts';

const policy: WindowPolicy = { windowTokens: 100, turnTokens: 25 };

/** Rows from tokens (a prompt or an observation) and names (a boundary), numbered from 1, a second apart. */
function rowsOf(...entries: readonly (number | string)[]): WindowRow[] {
  return entries.map((entry, index) => ({
    seq: index + 1,
    tokens: typeof entry === 'number' ? entry : 0,
    boundary: typeof entry === 'number' ? null : entry,
    createdAtMs: (index + 1) * 1_000,
  }));
}

/** Windows as `from-to reason`. */
function cuts(
  entries: readonly (number | string)[],
  closeOpen: 'quiet' | 'age' | 'idle' | 'requested' | null = null,
): string[] {
  return cutWindows(rowsOf(...entries), policy, closeOpen).windows.map(
    ({ fromSeq, toSeq, reason }) => `${fromSeq}-${toSeq} ${reason}`,
  );
}

describe('tokens', () => {
  it.each([
    ['closes at the bound exactly', [60, 40, 5], ['1-2 tokens']],
    ['stays open one below', [60, 39], []],
    ['begins the next window with the row that would go over', [60, 41, 59], ['1-1 tokens', '2-3 tokens']],
    ['gives a huge row its own window', [10, 5_000, 10], ['1-1 tokens', '2-2 tokens']],
    ['gives two huge rows two windows', [5_000, 5_000], ['1-1 tokens', '2-2 tokens']],
    ['takes a row of no tokens', [0, 0, 100], ['1-3 tokens']],
  ])('%s', (_, entries, expected) => {
    expect(cuts(entries)).toEqual(expected);
  });

  it('are summed up', () => {
    expect(cutWindows(rowsOf(60, 'turn_end'), policy, null).windows).toEqual([
      { fromSeq: 1, toSeq: 2, tokens: 60, reason: 'turn' },
    ]);
  });
});

describe('boundaries', () => {
  it.each([
    ['a turn closes what is large enough', [25, 'turn_end'], ['1-2 turn']],
    ['a turn leaves what is small', [24, 'turn_end'], []],
    ['a later turn closes the sum', [24, 'turn_end', 1, 'turn_end'], ['1-4 turn']],
    ['a compaction closes the smallest', [1, 'compaction'], ['1-2 boundary']],
    [
      'a sub-agent closes before and after',
      [1, 'subagent_start', 2, 'subagent_stop', 3],
      ['1-2 boundary', '3-4 boundary'],
    ],
    ['a resume closes', [1, 'session_start', 2], ['1-2 boundary']],
    ['a boundary of another kind closes', [1, 'other'], ['1-2 boundary']],
    ['a session end closes the smallest', [1, 'session_end'], ['1-2 session_end']],
    ['an unknown kind closes nothing', [1, 'coffee'], []],
    [
      'leading boundaries are carried into the next window',
      ['session_start', 'subagent_start', 30, 'turn_end'],
      ['1-4 turn'],
    ],
    ['a turn end after a window is carried', [100, 'turn_end', 30, 'turn_end'], ['1-1 tokens', '2-4 turn']],
    ['boundaries alone make no window', ['session_start', 'turn_end', 'compaction', 'session_end'], []],
    [
      'content after the end is a window of its own',
      [1, 'session_end', 2, 'session_end'],
      ['1-2 session_end', '3-4 session_end'],
    ],
  ])('%s', (_, entries, expected) => {
    expect(cuts(entries)).toEqual(expected);
  });
});

describe('open rows', () => {
  it('is described from its first row on', () => {
    expect(cutWindows(rowsOf(100, 'turn_end', 10, 5), policy, null).open).toEqual({
      fromSeq: 2,
      tokens: 15,
      rows: 2,
      firstCreatedAtMs: 2_000,
      lastCreatedAtMs: 4_000,
    });
  });

  it('has no rows with boundaries only', () => {
    expect(cutWindows(rowsOf(100, 'turn_end'), policy, null).open).toMatchObject({ fromSeq: 2, rows: 0, tokens: 0 });
  });

  it('is nothing after a clean cut, or without rows', () => {
    expect(cutWindows(rowsOf(100), policy, null).open).toBeNull();
    expect(cutWindows([], policy, 'idle')).toEqual({ windows: [], open: null, ended: false });
  });

  it.each(['quiet', 'age', 'idle', 'requested'] as const)('closes for %s', (reason) => {
    expect(cuts([100, 3, 'turn_end'], reason)).toEqual(['1-1 tokens', `2-3 ${reason}`]);
    expect(cutWindows(rowsOf(3), policy, reason).open).toBeNull();
  });

  it('does not close with boundaries only', () => {
    expect(cuts(['session_start', 'turn_end'], 'quiet')).toEqual([]);
    expect(cutWindows(rowsOf('session_start'), policy, 'quiet').open).toMatchObject({ rows: 0 });
  });
});

it.each([
  [[1, 'session_end'], true],
  [['session_end'], true],
  [[1, 'session_end', 2], false],
  [[1, 'session_end', 'session_start'], false],
  [[1, 'turn_end'], false],
])('%j has ended: %s', (entries, ended) => {
  expect(cutWindows(rowsOf(...entries), policy, null).ended).toBe(ended);
});

const KINDS = [
  'turn_end',
  'compaction',
  'subagent_start',
  'subagent_stop',
  'session_start',
  'session_end',
  'other',
] as const;

function randomRows(random: () => number): WindowRow[] {
  const entries = Array.from({ length: 1 + Math.floor(random() * 60) }, (): number | string => {
    if (random() < 0.3) return KINDS[Math.floor(random() * KINDS.length)] ?? 'other';
    return random() < 0.05 ? 500 : Math.floor(random() * 40);
  });
  return rowsOf(...entries);
}

/** Like the session's workflow: row by row or in batches, with open rows read again together with new ones. */
function cutInBatches(rows: readonly WindowRow[], random: () => number): readonly CutWindow[] {
  const windows: CutWindow[] = [];
  let windowedSeq = 0;
  for (let taken = 0; taken < rows.length;) {
    taken = Math.min(rows.length, taken + 1 + Math.floor(random() * 7));
    const unwindowed = rows.filter((row) => row.seq > windowedSeq && row.seq <= taken);
    const cut = cutWindows(unwindowed, policy, null).windows;
    windows.push(...cut);
    windowedSeq = cut.at(-1)?.toSeq ?? windowedSeq;
  }
  return windows;
}

describe('any rows', () => {
  const random = randomFrom(11);
  const samples = Array.from({ length: 300 }, () => randomRows(random));

  it('are cut the same way again, and without being changed', () => {
    for (const rows of samples) {
      const before = structuredClone(rows);
      expect(cutWindows(rows, policy, 'idle')).toEqual(cutWindows(rows, policy, 'idle'));
      expect(rows).toEqual(before);
    }
  });

  it('are cut the same way at once and as they come', () => {
    for (const rows of samples) expect(cutInBatches(rows, random)).toEqual(cutWindows(rows, policy, null).windows);
  });

  it('are in one window each, without gaps, within the limit unless alone', () => {
    for (const rows of samples) {
      const { windows, open } = cutWindows(rows, policy, 'idle');
      let next = 1;
      for (const window of windows) {
        expect(window.fromSeq).toBe(next);
        const inside = rows.filter((row) => row.seq >= window.fromSeq && row.seq <= window.toSeq);
        const content = inside.filter((row) => row.boundary === null);
        expect(content.length).toBeGreaterThan(0);
        expect(window.tokens).toBe(inside.reduce((sum, row) => sum + row.tokens, 0));
        const alone = content.filter((row) => row.tokens > 0).length === 1;
        expect(alone || window.tokens <= policy.windowTokens).toBe(true);
        next = window.toSeq + 1;
      }
      expect(open === null ? rows.length + 1 : open.fromSeq).toBe(next);
      expect(open?.rows ?? 0).toBe(0);
    }
  });
});
