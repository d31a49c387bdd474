import { expect, test } from 'vitest';
import { summaryText } from '../../cli/text/summary-text.ts';
import { terminalText } from '../../cli/text/terminal-text.ts';
import type { Session, Summary } from '../../contract/sessions.ts';

const SESSION: Session = {
  id: 'id',
  namespace: 'default',
  phase: 'settled',
  waiting_reason: null,
  last_error: null,
  stuck: null,
  capture: true,
  model: null,
  workflow_id: null,
  last_event_at: '2026-01-02T04:00:00.000Z',
  host: 'test',
  external_id: 's1',
  user_id: 'u',
  title: 'Title of the session',
  status: 'ended',
  project: { id: 'p', name: 'tally', git_remote: null },
  started_at: '2026-01-02T03:04:05.000Z',
  ended_at: '2026-01-02T04:00:00.000Z',
  gaps: [],
};
const SUMMARY: Summary = {
  id: 'sum',
  hash: 'aaaaaaab',
  session_id: 'id',
  type: 'session',
  kind: null,
  title: 'Rounding fixed',
  content: '',
  request: 'Fix the rounding.',
  investigated: '',
  learned: null,
  completed: 'Invoices are rounded half even.',
  next_steps: 'Release it.',
  notes: ' ',
  key_points: [{ text: 'Half even', evidence: [] }],
  action_items: [{ text: 'Check credit notes', evidence: [] }],
  files_read: ['/src/a.ts'],
  files_modified: ['/src/money.ts'],
  model: 'local-extractive',
  input_tokens: 120,
  output_tokens: 30,
  cost_usd: 0.0123,
  version: 2,
  published: true,
  occurred_at: '2026-01-02T04:00:00.000Z',
  created_at: '2026-01-02T04:00:00.000Z',
  evidence: [],
  tags: [],
  from_seq: 1,
  to_seq: 2,
};
const topic: Summary = { ...SUMMARY, type: 'topic', title: 'First topic', content: 'What happened first.' };
const item: Summary = { ...SUMMARY, type: 'item', kind: 'bugfix', title: 'A cent was lost' };

test('a summary reads as notes, and empty fields are left out', () => {
  expect(summaryText(SESSION, [SUMMARY, topic, item, { ...item, kind: null, title: '', content: 'Of no kind' }])).toBe(
    `Rounding fixed
test:s1 in tally, 2026-01-02 03:04 to 2026-01-02 04:00 UTC
aaaaaaab, version 2 by local-extractive
this call: 120 + 30 tokens, 0.0123 USD; all calls: recollect usage --group-by session

Request
  Fix the rounding.

Completed
  Invoices are rounded half even.

Next steps
  Release it.

Key points
  - Half even

To do
  [ ] Check credit notes

Items
  - bugfix: A cent was lost [aaaaaaab]
  - item: Of no kind [aaaaaaab]

Files changed
  /src/money.ts

Files read
  /src/a.ts
`,
  );
});

test('shows the newest version', () => {
  expect(summaryText(SESSION, [SUMMARY, { ...SUMMARY, version: 1, title: 'Older' }])).not.toContain('Older');
});

test('shows the topics without a session summary', () => {
  const text = summaryText({ ...SESSION, project: null, ended_at: null, status: 'active' }, [topic]);
  expect(text).toMatch(
    /^Title of the session\ntest:s1, 2026-01-02 03:04, active UTC\n\nFirst topic\n {2}What happened first\.\n/,
  );
  expect(text).toContain('/src/money.ts');
});

test('handles a session without summaries, and many files', () => {
  expect(summaryText({ ...SESSION, title: null }, [])).toMatch(/^A session without a title\n.*\n\nNo summary yet/);
  const files = Array.from({ length: 25 }, (_, n) => `/src/${n}.ts`);
  expect(summaryText(SESSION, [{ ...SUMMARY, files_read: files }])).toMatch(/\/src\/19\.ts\n {2}and 5 more\n$/);
});

const ESCAPE = String.fromCodePoint(27);

test.each([
  [`${ESCAPE}[31mred${ESCAPE}[0m`, 'red'],
  [`${ESCAPE}]0;title\u0007text`, 'text'],
  [`${ESCAPE}]8;;http://x${ESCAPE}\\link`, 'link'],
  [`half ${ESCAPE}[`, 'half ['],
  ['a\rb\bc\u009bd', 'a\nbcd'],
  ['right\u202Eleft\u2066x', 'rightleftx'],
  ['tab\tand\nline', 'tab\tand\nline'],
  ['时区 é 😀', '时区 é 😀'],
])('removes control characters from %j', (given, clean) => {
  expect(terminalText(given)).toBe(clean);
});
