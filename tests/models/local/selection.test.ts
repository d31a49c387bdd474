import { describe, expect, it } from 'vitest';
import { termsOf } from '../../../domain/text/terms.ts';
import type { Candidate } from '../../../models/local/learnings/candidate.ts';
import { nearByWords, nearKnown } from '../../../models/local/nearness.ts';
import { chosenOf } from '../../../models/local/selection.ts';
import { miniSession, rowsFrom } from '../rows.ts';
import { textsOfTopic, topicOf } from './asked.ts';

const note = (text: string, more: Partial<Candidate> = {}): Candidate => ({
  place: 'narrative',
  kind: null,
  title: '',
  text,
  evidence: [],
  terms: termsOf(text),
  value: 1,
  rowIndex: 0,
  order: 0,
  isFromUser: false,
  ...more,
});

function choose(notes: readonly Candidate[], budgetTokens: number, known: readonly string[] = []): readonly string[] {
  return chosenOf(notes, {
    budgetTokens,
    tokensOf: ({ text }) => text.split(' ').length,
    near: nearByWords,
    known: ({ text }) => (known.includes(text) ? 1 : 0),
    most: { narrative: 3, point: 1, item: 1, todo: 1 },
  }).map(({ text }) => text);
}

describe('the choice', () => {
  it('never exceeds its budget', () => {
    const notes = Array.from({ length: 50 }, (_, index) => note(`word${String(index)} a b c`));
    expect(choose(notes, 9)).toHaveLength(2);
    expect(choose(notes, 3)).toEqual([]);
  });

  it('prefers value per token, and returns reading order', () => {
    const notes = [
      note('late gem', { value: 3, rowIndex: 9 }),
      note('plain', { rowIndex: 1 }),
      note('a long tale of many words that says little in the end', { rowIndex: 2 }),
    ];
    expect(choose(notes, 4)).toEqual(['plain', 'late gem']);
  });

  it('omits repetitions and known texts', () => {
    const notes = [
      note('cache lock stale'),
      note('stale cache lock', { value: 0.9 }),
      note('port taken', { rowIndex: 1 }),
    ];
    expect(choose(notes, 99)).toEqual(['cache lock stale', 'port taken']);
    expect(choose(notes, 99, ['port taken'])).toEqual(['cache lock stale']);
  });

  it('limits the notes of each section', () => {
    expect(choose([note('one thing', { place: 'item' }), note('another matter', { place: 'item' })], 99)).toHaveLength(
      1,
    );
  });

  it('omits notes of little value per token, whatever the budget', () => {
    expect(choose([note('hardly worth it', { value: 0.05 })], 99)).toEqual([]);
  });
});

describe('nearness', () => {
  it('by words: a longer sentence contains a shorter one, a longer command differs', () => {
    const short = note('lock stale');
    const long = note('lock stale after restart tuesday');
    expect(nearByWords(short, long)).toBe(1);
    expect(nearByWords({ ...short, place: 'point' }, long)).toBeLessThan(0.75);
    expect(nearByWords({ ...short, isFromUser: true }, long)).toBeLessThan(0.75);
  });

  it('to known texts is that to the nearest one', () => {
    const near = nearKnown(['the port was taken', 'a stale lock blocks the cache']);
    expect([near(note('stale cache lock')), near(note('paint doors green'))]).toEqual([1, 0]);
    expect(nearKnown([])(note('stale cache lock'))).toBe(0);
  });
});

describe('a topic', () => {
  it('names no file that no tool touched, in quoted words neither', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'Please compare src/ghost.ts with the parser that we use for the report.' },
      { type: 'assistant', content: 'The problem is that ghost.ts was never finished, because nobody needed it.' },
    ]);
    expect(JSON.stringify(await topicOf(rows))).not.toContain('ghost.ts');
    const touched = rowsFrom([
      ...rows,
      {
        type: 'tool_result',
        tool: 'Read',
        title: 'Read: src/ghost.ts',
        content: 'src/ghost.ts',
        filesRead: ['src/ghost.ts'],
      },
    ]);
    expect(JSON.stringify(await topicOf(touched))).toContain('ghost.ts');
  });

  it('omits known learnings', async () => {
    const rows = rowsFrom([
      { type: 'assistant', content: 'The problem is that the glob runs when the module is imported.' },
      { type: 'user', content: 'Then read the files when the job starts.' },
    ]);
    const known = [
      {
        id: 'l',
        category: 'error' as const,
        title: 'Glob',
        description: 'The problem is that the glob runs when the module is imported.',
      },
    ];
    expect(textsOfTopic(await topicOf(rows))).toContain(
      'The problem is that the glob runs when the module is imported.',
    );
    expect(textsOfTopic(await topicOf(rows, { known })).join(' ')).not.toContain('glob');
  });

  it('repeats no sentence', async () => {
    const texts = textsOfTopic(await topicOf(miniSession));
    for (const [index, text] of texts.entries())
      expect(texts.filter((other, place) => place !== index && other.includes(text))).toEqual([]);
  });
});
