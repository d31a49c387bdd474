import { describe, expect, it } from 'vitest';
import { groundLearnings, groundSession, groundTopic, quotableRows } from '../../../domain/grounding.ts';
import type { SourceRow } from '../../../domain/ports/model.ts';
import { edited, miniSession, ran, rowsFrom } from '../rows.ts';
import { answered, learnedFrom, learningsOf, live, localModel, sessionInputOf, sessionOf, topicOf } from './asked.ts';

describe('a window with a failing test, a wrong attempt and a fix', () => {
  it('is titled by the user’s request', async () => {
    const { title } = await topicOf(miniSession);
    expect(title).toBe('The test for 29 February is red since yesterday. Find out why and fix it.');
  });

  it('has a bugfix with the failure before and the success after', async () => {
    const { items } = await topicOf(miniSession);
    const bugfix = items.find(({ kind }) => kind === 'bugfix');
    expect(bugfix?.title).toBe('Fixed `addYears` in calendar.ts by clamping the day to the last day of the month.');
    expect(bugfix?.content).toContain('`Date` rolls over days that a month does not have');
    expect(bugfix?.content).toContain("failed (AssertionError: expected '2025-02-28' to be '2025-03-01'), again after");
    expect(bugfix?.content).toContain('passed after a change to calendar.ts');
    const cited = bugfix?.evidence.map(({ rowId }) => rowId);
    expect(cited).toEqual(expect.arrayContaining(['row-2', 'row-4', 'row-5', 'row-6', 'row-7']));
    expect(bugfix?.evidence).toContainEqual({ rowId: 'row-6', quote: '✓ tests/calendar.test.ts (12 tests)' });
  });

  it('has the decision with its reason', async () => {
    const { items } = await topicOf(miniSession);
    expect(items.filter(({ kind }) => kind === 'decision').map(({ title }) => title)).toEqual([
      'Decision: we keep plain Date instead of a date library, because the bundle must stay under 50 kB.',
    ]);
  });

  it('leaves lasting rules to the learnings', async () => {
    const rule = 'always use UTC in tests';
    expect(JSON.stringify(await topicOf(miniSession))).not.toContain(rule);
    const learnings = await learningsOf({ ...(await sessionInputOf(miniSession)), rows: miniSession, known: [] });
    expect(learnings.find(({ category }) => category === 'best_practice')?.description).toContain(rule);
  });

  it('lists open work', async () => {
    const { actionItems } = await topicOf(miniSession);
    expect(actionItems.map(({ text }) => text)).toEqual([
      'Check addMonths for the same overflow',
      'Document the clamping in the README',
    ]);
  });
});

const kindsOf = async (rows: readonly SourceRow[]): Promise<readonly string[]> =>
  (await topicOf(rows)).items.map(({ kind }) => kind);

describe('kinds of items', () => {
  it('a failure without a success after it is no bugfix', async () => {
    expect(await kindsOf(miniSession.slice(0, 5))).not.toContain('bugfix');
  });

  it('a success without an edit before it is no bugfix', async () => {
    const rows = rowsFrom([ran('npm test', '1 failed', true), ran('npm test', '12 passed')]);
    expect(await kindsOf(rows)).not.toContain('bugfix');
  });

  it('a test that was written to fail first ends in a feature', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'Add a command that lists the oldest invoices.' },
      edited('test/list.test.ts', '', "test('lists the oldest invoices', () => {"),
      ran('npm test', '✖ lists the oldest invoices (2ms)\nTypeError: list is not a function\nℹ fail 1', true),
      edited('src/list.ts', '', 'export function list() {'),
      ran('npm test', 'ℹ pass 9\nℹ fail 0'),
      { type: 'assistant', content: "I've added the command `list --oldest` in src/list.ts with a test." },
    ]);
    const { items } = await topicOf(rows);
    expect(items.map(({ kind, title }) => [kind, title])).toEqual([
      ['feature', "I've added the command `list --oldest` in src/list.ts with a test."],
    ]);
  });

  it.each([
    ['refactor', 'Renamed the function loadAll to loadSessions in src/store.ts.', 'src/store.ts'],
    ['change', 'Updated the setup instructions in README.md for the new port.', 'README.md'],
  ])('%s', async (kind, said, path) => {
    const rows = rowsFrom([
      { type: 'user', content: 'go on' },
      edited(path, 'a', 'b'),
      { type: 'assistant', content: said },
    ]);
    expect(await kindsOf(rows)).toEqual([kind]);
  });

  it('work reported in the passive is an item, an announcement of a list is none', async () => {
    const rows = rowsFrom([
      edited('.zshrc', 'a', 'b'),
      { type: 'assistant', content: 'The PATH export has been added to .zshrc for new shells.' },
      { type: 'assistant', content: "We've cleaned up the `.zshrc` file in two phases:" },
    ]);
    expect((await topicOf(rows)).items.map(({ title }) => title)).toEqual([
      'The PATH export has been added to .zshrc for new shells.',
    ]);
  });

  it('has no item for work without an edit', async () => {
    const rows = rowsFrom([{ type: 'assistant', content: 'Renamed the function loadAll to loadSessions everywhere.' }]);
    expect(await kindsOf(rows)).toEqual([]);
  });

  it('discovery and security', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'Why is the nightly export empty?' },
      {
        type: 'assistant',
        content:
          'The problem is that the glob runs when the module is imported, before the files exist. ' +
          'The log line prints the access token in plain text, so anyone who reads the logs gets the token.',
      },
    ]);
    expect(new Set(await kindsOf(rows))).toEqual(new Set(['discovery', 'security']));
  });

  it('has no decision for a question', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'Should we use tabs instead of spaces, because the linter wants it?' },
    ]);
    expect(await kindsOf(rows)).toEqual([]);
  });
});

describe('a session', () => {
  it('includes the request and the outcome, and beyond them only what its topics lack', async () => {
    const input = await sessionInputOf(miniSession);
    const output = await sessionOf(input);
    const said = JSON.stringify([input.topics, input.items]);
    const { title, request, completed, keyPoints, actionItems, ...fields } = output;
    expect(title).toMatch(/29 February/u);
    expect(request).toMatch(/29 February/u);
    expect(completed).toContain('Fixed `addYears`');
    const texts = [...Object.values(fields), ...[...keyPoints, ...actionItems].map((point) => point.text)];
    for (const text of texts.filter((shown) => shown !== '')) expect(said).not.toContain(text);
    expect(groundSession(output, quotableRows(input)).dropped).toBe(0);
  });

  it('has request, findings and work if no topic has them', async () => {
    const prompts = rowsFrom([
      { type: 'user', content: 'Find out why the nightly export is empty and fix it.' },
      {
        type: 'assistant',
        content:
          'I compared the two exports and found that only the nightly one has no rows. ' +
          'Fixed the export by reading the files when the job starts.',
      },
    ]);
    const output = await sessionOf({ projectName: null, glossary: [], topics: [], items: [], prompts });
    expect(output.request).toContain('nightly export is empty');
    expect(output.investigated).toContain('compared the two exports');
    expect(output.completed).toContain('reading the files when the job starts');
  });

  it('is named by its work if the user only asks and nobody answers', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'Can you see why the export is empty?' },
      ran('npm run export -- --all', 'wrote 0 rows'),
      { type: 'assistant', content: 'Shall I go on?' },
    ]);
    const { title, completed } = await sessionOf(await sessionInputOf(rows));
    expect([title, completed].filter((text) => text === '' || text.includes('?'))).toEqual([]);
  });

  it('leaves unknown fields empty', async () => {
    const output = await sessionOf({ projectName: null, glossary: [], topics: [], items: [], prompts: [] });
    expect(output).toEqual({
      title: 'Session without words',
      request: '',
      investigated: '',
      learned: '',
      completed: '',
      nextSteps: '',
      notes: '',
      keyPoints: [],
      actionItems: [],
    });
  });
});

describe('learnings', () => {
  it('are the fix, the decision and the preference, with evidence', async () => {
    const output = await learningsOf({ ...(await sessionInputOf(miniSession)), rows: miniSession, known: [] });
    expect(groundLearnings(output, miniSession).dropped).toBe(0);
    const solution = output.find(({ category }) => category === 'solution');
    expect(solution?.description).toBe(
      'Fixed `addYears` in calendar.ts by clamping the day to the last day of the month.',
    );
    expect(solution?.context).toContain('When `npx vitest run tests/calendar.test.ts` fails with "AssertionError');
    // 0.5 for a solution, 0.15 for its cause, 0.1 for the passing test, 0.1 for the second failure.
    expect(solution?.confidence).toBe(0.85);
    expect(output.find(({ category }) => category === 'best_practice')?.description).toBe(
      'And from now on always use UTC in tests, never the local time zone.',
    );
    expect(output.find(({ category }) => category === 'pattern')?.description).toContain(
      'because the bundle must stay under 50 kB',
    );
    expect(output.map(({ confidence }) => confidence)).toEqual(
      output.map(({ confidence }) => confidence).toSorted((a, b) => b - a),
    );
  });

  it('know another way to call a command that was not found', async () => {
    const rows = rowsFrom([
      ran('pytest --spec', '(eval):1: command not found: pytest', true),
      ran('source .venv/bin/activate && pytest --spec', '9 passed in 0.3s'),
    ]);
    expect(await learnedFrom(rows)).toMatchObject([
      {
        category: 'solution',
        description: '`pytest --spec` failed; `source .venv/bin/activate && pytest --spec` worked.',
        evidence: [{ rowId: 'row-1', quote: '(eval):1: command not found: pytest' }, { rowId: 'row-2' }],
      },
    ]);
  });

  it('hold facts of configuration', async () => {
    const rows = rowsFrom([
      { type: 'assistant', content: 'The server reads `RECALL_PORT` from the environment, which overrides the file.' },
    ]);
    expect((await learnedFrom(rows)).map(({ category }) => category)).toEqual(['config']);
  });

  it('return known learnings again, so that their evidence grows', async () => {
    const rule = 'From now on always use UTC in tests, never the local time zone.';
    const rows = rowsFrom([{ type: 'user', content: rule }]);
    const known = [{ id: 'l1', category: 'best_practice', title: 'UTC', description: rule }] as const;
    expect((await learnedFrom(rows, { known })).map(({ description }) => description)).toEqual([rule]);
  });

  it('are empty for a session without lasting knowledge', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'ok' },
      ran('ls', 'a.ts'),
      { type: 'assistant', content: 'Let me look at the files.' },
    ]);
    expect(await learnedFrom(rows)).toEqual([]);
  });
});

describe('odd input', () => {
  it('empty', async () => {
    expect(await topicOf([])).toEqual({
      title: 'Nothing to summarise',
      content: '',
      keyPoints: [],
      actionItems: [],
      items: [],
    });
  });

  it('one row', async () => {
    const rows = rowsFrom([ran('npm run build', 'Finished in 3 s')]);
    expect((await topicOf(rows)).title).toBe('Ran `npm run build`');
  });

  it('only the request before', async () => {
    expect(
      (await topicOf([], { precedingRequest: { content: 'Make the export faster', dataClass: 'internal' } })).title,
    ).toBe('Make the export faster');
  });

  it('rows of megabytes, without spaces or stops too', async () => {
    const rows = rowsFrom([
      { type: 'user', content: `Fix the parser. ${'a'.repeat(2_000_000)}` },
      ran('npm test', `${'noise line\n'.repeat(200_000)}AssertionError: expected 1 to be 2\n1 failed`, true),
      { type: 'assistant', content: 'The root cause is that the buffer was never flushed. '.repeat(20_000) },
    ]);
    const begin = process.cpuUsage();
    const topic = await topicOf(rows);
    const { user, system } = process.cpuUsage(begin);
    expect((user + system) / 1_000).toBeLessThan(5000);
    expect(JSON.stringify(topic)).toContain('AssertionError: expected 1 to be 2');
    expect(groundTopic(topic, rows).dropped).toBe(0);
    expect(JSON.stringify(topic).length).toBeLessThan(20_000);
  });

  it('Chinese and Japanese', async () => {
    const rows = rowsFrom([
      { type: 'user', content: '请修复时区测试。以后必须使用UTC，不要使用本地时区。' },
      {
        type: 'assistant',
        content: '根本原因是测试使用了本地时区。已修复测试，所有测试都通过了。時差の修正が完了しました。',
      },
    ]);
    const topic = await topicOf(rows);
    expect(topic.items.find(({ kind }) => kind === 'discovery')?.evidence).toEqual([
      { rowId: 'row-2', quote: '根本原因是测试使用了本地时区。' },
    ]);
    expect((await learnedFrom(rows)).find(({ category }) => category === 'best_practice')?.description).toContain(
      '以后必须使用UTC，不要使用本地时区。',
    );
  });

  it('half a surrogate pair at a cut', async () => {
    const rows = rowsFrom([
      { type: 'user', content: `Fix ${'😀'.repeat(40_001)} now. ${'We always use pnpm here, never npm. '.repeat(2)}` },
    ]);
    const topic = await topicOf(rows);
    expect(JSON.stringify(topic).isWellFormed()).toBe(true);
    expect(groundTopic(topic, rows).dropped).toBe(0);
  });
});

it('rejects with the reason of an aborted signal, before and when sent', async () => {
  const reason = new Error('stopped');
  const input = { projectName: null, glossary: [], precedingRequest: null, known: [], rows: miniSession };
  await expect(localModel().prepareWindow(input, AbortSignal.abort(reason))).rejects.toBe(reason);
  const call = await localModel().prepareWindow(input, live());
  await expect(call.send(AbortSignal.abort(reason))).rejects.toBe(reason);
  expect((await answered(Promise.resolve(call))).title).not.toBe('');
});
