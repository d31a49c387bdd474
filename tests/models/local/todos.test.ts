import { describe, expect, it } from 'vitest';
import { sentencesOf } from '../../../models/local/segments.ts';
import { actionItemsOf, withoutRepeats } from '../../../models/local/notes/todos.ts';
import { type RowDraft, rowsFrom } from '../rows.ts';

function open(drafts: readonly RowDraft[], most = 6): readonly string[] {
  const rows = rowsFrom(drafts);
  return actionItemsOf(rows, sentencesOf(rows), most).map(({ text, evidence }) => {
    for (const { rowId, quote } of evidence) expect(rows.find(({ id }) => id === rowId)?.content).toContain(quote);
    return text;
  });
}

const todoList = (content: string): RowDraft => ({
  type: 'tool_result',
  tool: 'TodoWrite',
  title: 'TodoWrite',
  content,
});

describe('to-do lists', () => {
  it('use the last list', () => {
    expect(
      open([todoList('☐ Write the parser\n☐ Test the parser'), todoList('☒ Write the parser\n☐ Test the parser')]),
    ).toEqual(['Test the parser']);
  });

  it('are parsed as JSON, without the old list in the output', () => {
    const asked =
      '{"todos":[{"content":"Write the parser","status":"completed"},{"content":"Test the parser","status":"in_progress"}]}';
    const answered = '{"oldTodos":[{"content":"Write the parser","status":"pending"}],"newTodos":[]}';
    expect(open([todoList(`${asked}\n\n${answered}`)])).toEqual(['Test the parser']);
  });

  it('omit routine steps', () => {
    expect(
      open([todoList('☐ Commit\n☐ Run the full test suite\n☐ Run the migration of all tenants on the staging server')]),
    ).toEqual(['Run the migration of all tenants on the staging server']);
  });
});

describe('words', () => {
  it.each([
    ['The export still needs to handle empty months.', 'The export still needs to handle empty months'],
    ['Open: the retry of failed uploads.', 'The retry of failed uploads'],
    ['The index has to be rebuilt on the other machines.', 'The index has to be rebuilt on the other machines'],
    ['文档更新尚未完成，下一步是补充测试。', '文档更新尚未完成，下一步是补充测试'],
  ])('%s', (said, expected) => {
    expect(open([{ type: 'assistant', content: said }])).toEqual([expected]);
  });

  it.each([
    'Shall we also handle what is still open?',
    'Next, let me run the tests.',
    'The next line prints the total.',
    'Nothing more to say here.',
  ])('not: %s', (said) => {
    expect(open([{ type: 'assistant', content: said }])).toEqual([]);
  });

  it('reads the list under the last heading only', () => {
    const first = 'Next steps:\n- Write the docs of the parser\n';
    const second = '## Next steps\n\n1. Measure the speed of the parser\n';
    expect(
      open([
        { type: 'assistant', content: first },
        { type: 'assistant', content: `- An earlier item of the list\n\n${second}` },
      ]),
    ).toEqual(['Measure the speed of the parser']);
  });
});

const text = (said: string) => ({ text: said, evidence: [] });

it('omits repetitions, within the limit', () => {
  expect(withoutRepeats([text('Test the parser'), text('test the parsers'), text('')])).toEqual([
    text('Test the parser'),
  ]);
  expect(open([todoList('☐ First thing\n☐ Second matter\n☐ Third point')], 2)).toHaveLength(2);
});
