import { describe, expect, it } from 'vitest';
import { centrality } from '../../../models/local/centrality.ts';
import { confidenceOf } from '../../../models/local/learnings/candidate.ts';
import { hasCue, isCorrection, isQuestion, isThin, preferenceStrength } from '../../../models/local/learnings/cues.ts';
import { noteTitle } from '../../../models/local/notes/notes.ts';
import { diverse, scored } from '../../../models/local/ranking.ts';
import { sentencesOf } from '../../../models/local/segments.ts';
import { rowsFrom } from '../rows.ts';
import { processorMs } from '../../setup/processor-time.ts';

describe('centrality', () => {
  it('is highest for the text that shares words with the others', () => {
    const [cache, hub, timer, alone] = centrality([
      ['cache', 'miss'],
      ['cache', 'timer', 'bug'],
      ['timer', 'slow'],
      ['lunch'],
    ]);
    expect(hub).toBe(1);
    for (const other of [cache, timer, alone]) expect(other).toBeLessThan(1);
    expect(alone).toBeLessThan(cache ?? 0);
  });

  it('bears nothing, and texts without words', () => {
    expect(centrality([])).toEqual([]);
    expect(centrality([[], []])).toEqual([1, 1]);
  });

  it('takes time in proportion to the words', () => {
    const documents = Array.from({ length: 20_000 }, (_, index) => [
      `w${String(index % 500)}`,
      `v${String(index % 700)}`,
      'common',
    ]);
    expect(processorMs(() => centrality(documents))).toBeLessThan(3000);
  });
});

const item = (name: string, score: number, terms: readonly string[]) => ({ name, score, terms });

describe('diverse', () => {
  it('prefers another subject to a repetition', () => {
    const chosen = diverse(
      [item('a', 1, ['x', 'y', 'z', 'q']), item('again', 0.95, ['x', 'y', 'p', 'r']), item('b', 0.8, ['k', 'l'])],
      2,
    );
    expect(chosen.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('omits repetitions and items below the threshold', () => {
    const chosen = diverse([item('a', 1, ['x']), item('same', 1, ['x']), item('low', 0.1, ['m'])], 3, 0.2);
    expect(chosen.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('cues', () => {
  it.each([
    ['The root cause was a stale lock file.', 'cause'],
    ['It failed because the port was taken.', 'cause'],
    ['We decided to keep SQLite.', 'decision'],
    ["I've added a retry to the client.", 'done'],
    ['Now let me check the tests.', 'narration'],
    ['This allows SQL injection through the name.', 'security'],
  ] as const)('%s is %s', (text, cue) => {
    expect(hasCue(text, cue)).toBe(true);
  });

  it.each([
    ['The tests pass.', 'cause'],
    ['We looked at the decision log.', 'decision'],
    ['Adding more would be wrong.', 'done'],
  ] as const)('%s is not %s', (text, cue) => {
    expect(hasCue(text, cue)).toBe(false);
  });

  it('grades wishes of the user', () => {
    expect(preferenceStrength('Always run the full suite.')).toBe(2);
    expect(preferenceStrength('Use pnpm instead of npm.')).toBe(2);
    expect(preferenceStrength('Commits should be small.')).toBe(1);
    expect(preferenceStrength('Rounding up always drifts our way.')).toBe(0);
    expect(preferenceStrength('以后必须使用UTC')).toBe(2);
  });

  it('recognises corrections, questions and prompts without a request', () => {
    expect(isCorrection('No, keep the old name.')).toBe(true);
    expect(isCorrection('No new dependencies.')).toBe(false);
    expect(isQuestion('好吗？')).toBe(true);
    expect(isQuestion('Fine.')).toBe(false);
    expect(['ok', 'commit and push', 'LGTM', '/clear', '继续'].every(isThin)).toBe(true);
    expect(isThin('commit the parser fix')).toBe(false);
  });
});

describe('sentencesOf', () => {
  it('leaves out code, tables, tool output and hidden instructions', () => {
    const rows = rowsFrom([
      {
        type: 'assistant',
        content: 'The parser is fixed now.\n```\nconst parser is fixed = 1;\n```\n| a | b | c |\nnpm install --save x',
      },
      { type: 'system', content: 'You are a helpful assistant today.' },
      { type: 'tool_result', tool: 'Bash', content: '$ x\n\nThe output has words too.' },
    ]);
    expect(sentencesOf(rows).map(({ text }) => text)).toEqual(['The parser is fixed now.']);
  });

  it('cleans the text and leaves the quote verbatim', () => {
    const [sentence] = sentencesOf(
      rowsFrom([{ type: 'assistant', content: 'Perfect! **All tests**\npass  now.' }]),
    ).slice(-1);
    expect(sentence).toMatchObject({ text: 'All tests pass now.', quote: '**All tests**\npass  now.' });
  });
});

it('ranks a cause above narration', () => {
  const [cause, narration] = scored(
    sentencesOf(
      rowsFrom([{ type: 'assistant', content: 'The root cause is the missing lock. Let me look at the lock now.' }]),
    ),
  );
  expect(cause?.score).toBeGreaterThan((narration?.score ?? 0) + 0.5);
});

describe('noteTitle', () => {
  it.each([
    ["I've successfully added a `retry` to the client.", 'Added a retry to the client'],
    ['Please can you fix the build?', 'Fix the build?'],
    ['Root cause: the lock was stale.', 'The lock was stale'],
    ['Two house rules, for every change: no new dependencies.', 'No new dependencies'],
    ['', ''],
  ])('%s', (text, title) => {
    expect(noteTitle(text)).toBe(title);
  });

  it('cuts at a clause, or at a word', () => {
    expect(noteTitle(`Moved the cache to its own module; ${'and more '.repeat(20)}`)).toBe(
      'Moved the cache to its own module',
    );
    expect(noteTitle('word '.repeat(60))).toMatch(/^(?:word ?){20,24}…$/iu);
  });
});

it('adds up the factors of a learning within its bounds', () => {
  expect(confidenceOf({ base: 0.5, explained: true, verified: true })).toBe(0.75);
  expect(confidenceOf({ base: 0.9, explained: true, repeated: true })).toBe(0.95);
  expect(confidenceOf({ base: 0.3, hedged: true })).toBe(0.2);
});
