import { describe, expect, it } from 'vitest';
import {
  groundItems,
  groundLearnings,
  groundSession,
  groundTopic,
  quotableRows,
  quoteMatches,
} from '../../domain/grounding.ts';
import type {
  Evidence,
  ItemDraft,
  LearningDraft,
  SessionInput,
  SessionSummaryDraft,
  TopicSummaryDraft,
} from '../../domain/ports/model.ts';

const rows = [
  { id: 'a', content: 'npm test failed.\nExit code 1' },
  { id: 'b', content: '根本原因是时区设置。' },
];
const good: Evidence = { rowId: 'a', quote: 'failed.\nExit' };
const invented: Evidence = { rowId: 'a', quote: 'npm test passed' };
const wrongRow: Evidence = { rowId: 'b', quote: 'npm test failed.' };
const unknownRow: Evidence = { rowId: 'R7', quote: 'npm test failed.' };

function item(title: string, evidence: readonly Evidence[]): ItemDraft {
  return { kind: 'change', title, content: title, tags: [], importance: 0.5, evidence };
}

function learning(title: string, evidence: readonly Evidence[]): LearningDraft {
  return {
    category: 'general',
    title,
    description: title,
    context: '',
    examples: [],
    tags: [],
    confidence: 0.5,
    evidence,
  };
}

describe('quoteMatches', () => {
  it.each([
    ['a part across lines', 'failed.\nExit', true],
    ['another case', 'NPM test', false],
    ['other white space', 'failed. Exit', false],
    ['nothing', '', false],
    ['white space alone', '\n', false],
  ])('%s', (_, quote, matches) => {
    expect(quoteMatches({ content: 'npm test failed.\nExit code 1' }, quote)).toBe(matches);
  });

  it('reads scripts without spaces', () => {
    expect(quoteMatches({ content: '根本原因是时区设置。' }, '时区')).toBe(true);
  });
});

describe('claims', () => {
  it('retains a claim only if all its evidence is valid', () => {
    const items = [
      item('supported', [good]),
      item('one of two is invented', [good, invented]),
      item('in another row', [wrongRow]),
      item('unknown row', [unknownRow]),
      item('none', []),
    ];
    const { supported, dropped } = groundItems(items, rows);
    expect(supported.map(({ title }) => title)).toEqual(['supported']);
    expect(dropped).toBe(4);
  });

  it('does the same for learnings', () => {
    const { supported, dropped } = groundLearnings(
      [learning('supported', [good]), learning('dropped', [invented])],
      rows,
    );
    expect(supported.map(({ title }) => title)).toEqual(['supported']);
    expect(dropped).toBe(1);
  });

  it('counts the dropped claims of a topic', () => {
    const draft: TopicSummaryDraft = {
      title: 'T',
      content: 'C',
      keyPoints: [
        { text: 'k', evidence: [good] },
        { text: 'l', evidence: [invented] },
      ],
      actionItems: [{ text: 'm', evidence: [unknownRow] }],
      items: [item('i', [wrongRow]), item('j', [good])],
    };
    const { supported, dropped } = groundTopic(draft, rows);
    expect(dropped).toBe(3);
    expect(supported).toEqual({
      ...draft,
      keyPoints: draft.keyPoints.slice(0, 1),
      actionItems: [],
      items: draft.items.slice(1),
    });
  });
});

const point = (quote: string): SessionSummaryDraft['keyPoints'][number] => ({
  text: quote,
  evidence: [{ rowId: 'x', quote }],
});

describe('a session', () => {
  const input: SessionInput = {
    projectName: null,
    glossary: [],
    topics: [
      {
        id: 't',
        title: '',
        content: '',
        keyPoints: [{ text: 'k', evidence: [{ rowId: 'x', quote: 'from a topic' }] }],
        actionItems: [],
      },
    ],
    items: [{ id: 'i', ...item('i', [{ rowId: 'x', quote: 'from an item' }]) }],
    prompts: [],
  };

  it('accepts quotes that topics and items already proved, and no others', () => {
    const draft: SessionSummaryDraft = {
      title: '',
      request: '',
      investigated: '',
      learned: '',
      completed: '',
      nextSteps: '',
      notes: '',
      keyPoints: [point('from a topic'), point('from an item'), point('from nowhere')],
      actionItems: [point('a topic'), point('from a topic from an item')],
    };
    const { supported, dropped } = groundSession(draft, quotableRows(input));
    expect(supported.keyPoints.map(({ text }) => text)).toEqual(['from a topic', 'from an item']);
    expect(supported.actionItems.map(({ text }) => text)).toEqual(['a topic']);
    expect(dropped).toBe(2);
  });
});
