import { describe, expect, test } from 'vitest';
import { currentFocus } from '../../../domain/profile/focus.ts';
import type { FocusSource } from '../../../domain/profile/profile.ts';

const at = (day: number) => new Date(Date.UTC(2026, 0, day));
const promptOf = (id: string, content: string, day = 1) => ({ id, content, occurredAt: at(day) });
const step = (text: string, row = `row of ${text}`) => ({ text, evidence: [{ rowId: row, quote: text }] });
const session = (id: string, day: number, more: Partial<FocusSource> = {}): FocusSource => ({
  sessionId: id,
  projectId: 'p',
  request: '',
  completed: '',
  actionItems: [],
  prompts: [],
  occurredAt: at(day),
  ...more,
});

describe('the focus', () => {
  test('of nothing is empty', () => {
    expect(currentFocus([])).toEqual([]);
    expect(currentFocus([session('a', 1)])).toEqual([]);
  });

  test('quotes the request from the prompt with most of its words', () => {
    const prompts = [
      promptOf('p1', 'Good morning'),
      promptOf('p2', 'Please fix the rounding of invoices, it is off by a cent', 2),
      promptOf('p3', 'thanks, invoices look right'),
    ];
    expect(currentFocus([session('a', 3, { request: 'Fix the rounding of invoices', prompts })])).toEqual([
      {
        kind: 'request',
        text: 'Fix the rounding of invoices',
        sessionId: 'a',
        occurredAt: at(3),
        evidence: [
          {
            rowId: 'p2',
            sessionId: 'a',
            quote: 'Please fix the rounding of invoices, it is off by a cent',
            occurredAt: at(2),
          },
        ],
      },
    ]);
  });

  test('omits a request that no user prompt contains', () => {
    const prompts = [promptOf('p1', 'Good morning'), promptOf('p2', 'yes')];
    expect(currentFocus([session('a', 1, { request: 'Rewrite the scheduler', prompts })])).toEqual([]);
  });

  test('names no request that shares a word with a prompt by chance', () => {
    const request = 'Rewrite the scheduler of the indexer for fairness between tenants';
    expect(currentFocus([session('a', 1, { request, prompts: [promptOf('p', 'Is the indexer up?')] })])).toEqual([]);
  });

  test('quotes long prompts from their beginning, letter for letter', () => {
    const content = `Rewrite the scheduler ${'of the worker '.repeat(60)}`;
    const [line] = currentFocus([
      session('a', 1, { request: 'Rewrite the scheduler', prompts: [promptOf('p', content)] }),
    ]);
    const quote = line?.evidence[0]?.quote ?? '';
    expect(quote.length).toBeLessThanOrEqual(300);
    expect(content.startsWith(quote) && quote.length > 250).toBe(true);
  });

  test('has the steps that are open, the newest session first, and none without a quote', () => {
    const lines = currentFocus([
      session('old', 1, { actionItems: [step('Document the retry policy of uploads')] }),
      session('new', 2, {
        actionItems: [step('Measure the memory of the indexer'), { text: 'Invented step of no one', evidence: [] }],
      }),
    ]);
    expect(lines.map((line) => [line.kind, line.sessionId, line.text])).toEqual([
      ['next_step', 'new', 'Measure the memory of the indexer'],
      ['next_step', 'old', 'Document the retry policy of uploads'],
    ]);
    expect(lines[0]?.evidence).toEqual([
      {
        rowId: 'row of Measure the memory of the indexer',
        quote: 'Measure the memory of the indexer',
        sessionId: 'new',
        occurredAt: at(2),
      },
    ]);
  });

  test('omits steps that a later session of the project completed, not an earlier or another one', () => {
    const open = session('open', 2, { actionItems: [step('Add an index on the orders table')] });
    const done = { completed: 'An index was added on the orders table, and the query is fast.' };
    expect(currentFocus([open, session('later', 3, done)])).toEqual([]);
    expect(currentFocus([open, session('earlier', 1, done)])).toHaveLength(1);
    expect(currentFocus([open, session('elsewhere', 3, { ...done, projectId: 'q' })])).toHaveLength(1);
    expect(currentFocus([open, session('aside', 3, { completed: 'The orders page was restyled.' })])).toHaveLength(1);
  });

  test('shows repeated lines once, and is bounded', () => {
    const again = [3, 2, 1].map((day) =>
      session(`s${day}`, day, { actionItems: [step('Update the changelog before release')] }),
    );
    expect(currentFocus(again).map((line) => line.sessionId)).toEqual(['s3']);
    const actionItems = Array.from({ length: 40 }, (_, n) => step(`Step alpha${n} beta${n} gamma${n}`));
    expect(currentFocus([session('a', 1, { actionItems })])).toHaveLength(12);
  });

  test('is the same in whatever order the sessions come', () => {
    const sources = [1, 2, 3].map((day) =>
      session(`s${day}`, day, { actionItems: [step(`Finish part number${day} of module${day}`)] }),
    );
    expect(currentFocus(sources.toReversed())).toEqual(currentFocus(sources));
  });
});
