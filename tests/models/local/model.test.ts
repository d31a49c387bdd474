import { describe, expect, it } from 'vitest';
import { groundLearnings, groundSession, groundTopic, quotableRows } from '../../../domain/grounding.ts';
import type { SessionInput, SourceRow } from '../../../domain/ports/model.ts';
import { createLocalModel } from '../../../models/local/model.ts';
import { edited, miniSession, ran, rowsFrom } from '../rows.ts';

const model = createLocalModel({ countTokens: (text) => text.length, now: () => 42 });
const live = (): AbortSignal => new AbortController().signal;

async function topicOf(rows: readonly SourceRow[], precedingRequest: string | null = null) {
  return (await model.summariseWindow({ projectName: 'demo', precedingRequest, rows }, live())).output;
}

async function sessionInputOf(rows: readonly SourceRow[]): Promise<SessionInput> {
  const topic = await topicOf(rows);
  const items = topic.items.map((item, index) => ({ ...item, id: `item-${String(index)}` }));
  return {
    projectName: 'demo',
    topics: [{ ...topic, id: 'topic' }],
    items,
    prompts: rows.filter(({ role }) => role === 'prompt'),
  };
}

describe('a window with a failing test, a wrong attempt and a fix', () => {
  it('is titled by what the user asked, and told in three to six sentences', async () => {
    const topic = await topicOf(miniSession);
    expect(topic.title).toMatch(/Date instead of a date library|29 February/u);
    expect(topic.title.length).toBeLessThanOrEqual(120);
    expect(topic.content).toContain('root cause');
    expect(topic.content).toContain('passed');
    expect(topic.content).not.toContain('Perfect!');
  });

  it('has a bugfix with the failure before and the success after', async () => {
    const { items } = await topicOf(miniSession);
    const bugfix = items.find(({ kind }) => kind === 'bugfix');
    expect(bugfix?.title).toBe('Fixed addYears in calendar.ts by clamping the day to the last day of the month');
    expect(bugfix?.content).toContain('adds a year to 29 February');
    expect(bugfix?.content).toContain('after a first change to calendar.ts it failed in "adds a year to 1 March"');
    expect(bugfix?.tags).toEqual(expect.arrayContaining(['AssertionError', 'ts']));
    const cited = bugfix?.evidence.map(({ rowId }) => rowId);
    expect(cited).toEqual(expect.arrayContaining(['row-2', 'row-4', 'row-5', 'row-6', 'row-7']));
    expect(bugfix?.evidence).toContainEqual({ rowId: 'row-6', quote: '✓ tests/calendar.test.ts (12 tests)' });
  });

  it('has the decision with its reason', async () => {
    const { items } = await topicOf(miniSession);
    expect(items.filter(({ kind }) => kind === 'decision').map(({ title }) => title)).toEqual([
      'We keep plain Date instead of a date library, because the bundle must stay under 50 kB',
    ]);
  });

  it('keeps what is left to do', async () => {
    const { actionItems } = await topicOf(miniSession);
    expect(actionItems.map(({ text }) => text)).toEqual([
      'Check addMonths for the same overflow',
      'Document the clamping in the README',
    ]);
  });

  it('costs nothing and counts its tokens', async () => {
    const { usage } = await model.summariseWindow(
      { projectName: null, precedingRequest: null, rows: miniSession.slice(0, 2) },
      live(),
    );
    const read = miniSession.slice(0, 2).reduce((sum, { content }) => sum + content.length, 0);
    expect(usage).toMatchObject([
      { provider: 'local', model: 'local-extractive-1', tokensIn: read, tokensCached: 0, costUsd: 0, latencyMs: 0 },
    ]);
    expect(usage[0]?.tokensOut).toBeGreaterThan(0);
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
      ['feature', 'Added the command list --oldest in src/list.ts with a test'],
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

  it('a question decides nothing', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'Should we use tabs instead of spaces, because the linter wants it?' },
    ]);
    expect(await kindsOf(rows)).toEqual([]);
  });
});

describe('a session', () => {
  it('fills its fields from topics, items and prompts', async () => {
    const input = await sessionInputOf(miniSession);
    const { output } = await model.summariseSession(input, live());
    expect(output.title).toMatch(/29 February/u);
    expect(output.request).toContain('29 February');
    expect(output.learned).toContain('The root cause: `addYears` in calendar.ts let the day overflow into March');
    expect(output.completed).toContain('clamping the day');
    expect(output.notes).toContain('always use UTC in tests');
    expect(output.nextSteps).toBe('Check addMonths for the same overflow. Document the clamping in the README.');
    expect(groundSession(output, quotableRows(input)).dropped).toBe(0);
  });

  it('leaves empty what it cannot know', async () => {
    const { output } = await model.summariseSession({ projectName: null, topics: [], items: [], prompts: [] }, live());
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
    const input = { ...(await sessionInputOf(miniSession)), rows: miniSession };
    const { output } = await model.extractLearnings(input, live());
    expect(groundLearnings(output, miniSession).dropped).toBe(0);
    const solution = output.find(({ category }) => category === 'solution');
    expect(solution?.description).toContain('`Date` rolls over days');
    expect(solution?.context).toBe('When `npx vitest run tests/calendar.test.ts` fails in demo');
    expect(solution?.examples).toContain('const day = Math.min(date.getDate(), daysIn(month, year));');
    // 0.5 for a solution, 0.15 for its cause, 0.1 for the passing test, 0.1 for the second failure.
    expect(solution?.confidence).toBe(0.85);
    expect(output.find(({ category }) => category === 'best_practice')?.title).toBe(
      'From now on always use UTC in tests, never the local time zone',
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
    const { output } = await model.extractLearnings(
      { projectName: null, topics: [], items: [], prompts: [], rows },
      live(),
    );
    expect(output).toMatchObject([
      {
        category: 'solution',
        examples: ['source .venv/bin/activate && pytest --spec'],
        evidence: [{ rowId: 'row-1', quote: '(eval):1: command not found: pytest' }, { rowId: 'row-2' }],
      },
    ]);
  });

  it('hold facts of configuration', async () => {
    const rows = rowsFrom([
      {
        type: 'assistant',
        content: 'The server reads `RECALL_PORT` from .env, which overrides the value in config.toml.',
      },
    ]);
    const { output } = await model.extractLearnings(
      { projectName: null, topics: [], items: [], prompts: rows, rows: [] },
      live(),
    );
    expect(output.map(({ category }) => category)).toContain('config');
  });

  it('are none where nothing is worth it', async () => {
    const rows = rowsFrom([
      { type: 'user', content: 'ok' },
      ran('ls', 'a.ts'),
      { type: 'assistant', content: 'Let me look at the files.' },
    ]);
    const { output } = await model.extractLearnings(
      { projectName: null, topics: [], items: [], prompts: rows, rows },
      live(),
    );
    expect(output).toEqual([]);
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
    const [row] = rowsFrom([ran('npm run build', 'Finished in 3 s')]);
    expect(await topicOf(row ? [row] : [])).toMatchObject({ title: 'Bash: npm run build', content: 'Ran `npm run`.' });
  });

  it('only the request before', async () => {
    expect((await topicOf([], 'Make the export faster')).title).toBe('Continued: Make the export faster');
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
    expect(topic.content).toContain('AssertionError: expected 1 to be 2');
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
    expect(topic.title).toBe('请修复时区测试');
    expect(topic.items.find(({ kind }) => kind === 'discovery')?.evidence).toEqual([
      { rowId: 'row-2', quote: '根本原因是测试使用了本地时区。' },
    ]);
    const { output } = await model.extractLearnings({ ...(await sessionInputOf(rows)), rows }, live());
    expect(output.find(({ category }) => category === 'best_practice')?.evidence[0]?.quote).toBe(
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

it('rejects with the reason of an aborted signal', async () => {
  const reason = new Error('stopped');
  const input = { projectName: null, precedingRequest: null, rows: miniSession };
  await expect(model.summariseWindow(input, AbortSignal.abort(reason))).rejects.toBe(reason);
});
