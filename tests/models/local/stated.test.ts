import { describe, expect, it } from 'vitest';
import { statedIn } from '../../../models/local/learnings/stated.ts';
import { ran, rowsFrom } from '../rows.ts';
import { learnedFrom, sessionInputOf, sessionOf, topicOf } from './asked.ts';

const STATED = [
  ['decision', 'Decision: money is always an integer number of cents.'],
  ['decision', 'Final decision (for now): the index stays in one file.'],
  ['decision', 'We decided to store amounts as integers.'],
  ['decision', 'It was agreed that the export runs at night.'],
  ['decision', "Let's keep the old column name."],
  ['decision', 'ok, we will use SQLite for the cache'],
  ['decision', 'Use pnpm instead of npm in the workflow.'],
  ['decision', '决定：金额一律用整数分表示。'],
  ['decision', '我们决定使用整数分存储金额。'],
  ['decision', '时间统一用标准时间。'],
  ['preference', 'Rule: migrations are never edited after a release.'],
  ['preference', 'You prefer tabs over spaces in this project.'],
  ['preference', 'From now on we write commit messages in English.'],
  ['preference', '规则：提交信息都用英文。'],
  ['preference', '以后提交信息都用英文写。'],
  ['preference', '你更喜欢简短的提交信息。'],
  ['next', 'Next time add a currency.'],
  ['next', 'good, next time add a currency'],
  ['next', 'Next steps: add a currency and a rounding mode.'],
  ['next', 'Open: how refunds are rounded.'],
  ['next', 'Decision: pending.'],
  ['next', 'I did not get to the rounding of refunds.'],
  ['next', 'We can handle refunds in a later session.'],
  ['next', 'The export still needs to handle empty months.'],
  ['next', 'REQ-3: Export to HTML (Not started)'],
  ['next', 'We need to give the tests their own fixtures first.'],
  ['next', '下次加上货币字段。'],
  ['next', '退款的舍入还没有处理。'],
  ['next', '接下来要补充测试。'],
] as const;

const NOT_STATED = [
  // Questions.
  'Should we use integers instead of floats?',
  'Did we decide to store cents?',
  'What is the next step?',
  '要不要统一用整数分？',
  '下一步做什么？',
  // Quoted words.
  'The README says "Decision: money is a float".',
  'The old ticket reads “next time add a currency” at the top.',
  '> Decision: money is a float.',
  '文档里写着「决定：金额用浮点数」这句话。',
  // Suppositions.
  'If we decided to use floats, the sums would drift.',
  'We might have agreed on cents before the release.',
  'We could use integers instead of floats here.',
  '如果决定用浮点数，总和会有误差。',
  '可能我们决定用整数分。',
  // Denials.
  'We have not decided on a currency yet.',
  'Nobody agreed to the new format.',
  'There are no next steps.',
  'Open: none.',
  'Nothing is left to do.',
  '货币还没有决定。',
  '没有待办事项。',
  // Other uses of the words.
  'The next line prints the total.',
  'The decision log has twelve entries.',
  'Later versions of the compiler print a warning.',
  'The project is ready for the next session.',
] as const;

describe('statedIn', () => {
  it.each(STATED)('%s: %s', (kind, text) => {
    expect(statedIn(text)).toBe(kind);
  });

  it.each(NOT_STATED)('nothing: %s', (text) => {
    expect(statedIn(text)).toBeNull();
  });
});

const DECISIONS = [
  'Decision: money is always an integer number of cents.',
  '决定：金额一律用整数分表示，不用浮点数。',
] as const;
const OPEN_ENDS = ['Next time add a currency to every invoice.', '下次给每张发票加上货币字段。'] as const;

describe.each(['user', 'assistant'] as const)('said by the %s', (type) => {
  const request = { type: 'user', content: 'Write a small invoice module.' } as const;

  it.each(DECISIONS)('is an item and a learning: %s', async (said) => {
    const rows = rowsFrom([request, { type, content: said }]);
    expect((await topicOf(rows)).items).toMatchObject([
      { kind: 'decision', title: said, evidence: [{ rowId: 'row-2', quote: said }] },
    ]);
    expect(await learnedFrom(rows)).toMatchObject([{ description: said, evidence: [{ rowId: 'row-2', quote: said }] }]);
  });

  it.each(OPEN_ENDS)('is a next step of topic and session: %s', async (said) => {
    const rows = rowsFrom([request, { type, content: said }, { type: 'assistant', content: 'Thanks, that is all.' }]);
    const step = { text: said.replace(/[.。]$/u, ''), evidence: [{ rowId: 'row-2', quote: said }] };
    expect((await topicOf(rows)).actionItems).toEqual([step]);
    expect((await sessionOf(await sessionInputOf(rows))).actionItems).toEqual([step]);
  });

  it.each(NOT_STATED)('is neither a decision nor a next step: %s', async (said) => {
    const rows = rowsFrom([request, { type, content: said }]);
    const topic = await topicOf(rows);
    expect(topic.actionItems).toEqual([]);
    expect(topic.items.filter(({ kind }) => kind === 'decision')).toEqual([]);
  });
});

it('takes a rule that the assistant repeats as a preference', async () => {
  const rows = rowsFrom([{ type: 'assistant', content: 'Noted: from now on we write commit messages in English.' }]);
  expect((await learnedFrom(rows)).map(({ category }) => category)).toEqual(['best_practice']);
});

it('takes nothing from the output of a tool', async () => {
  const rows = rowsFrom([ran('cat NOTES.md', [...DECISIONS, ...OPEN_ENDS].join('\n'))]);
  const topic = await topicOf(rows);
  expect([topic.items, topic.actionItems, await learnedFrom(rows)]).toEqual([[], [], []]);
});
