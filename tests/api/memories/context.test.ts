import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { contextAnswer } from '../../../contract/context.ts';
import { settled } from '../../setup/demo-session.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { vectorsAtRest } from '../../setup/vectors-at-rest.ts';
import { captured } from '../../setup/small-session.ts';
import { given } from '../support/learnings.ts';
import { CONTEXT_TAG } from '../../../domain/recalled/recalled-block.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { bodyOf } from '../support/answers.ts';

const ROOT = '/src/ledger';
const project = { path: ROOT };
const CAUSE = 'The nightly export hangs because the warehouse driver keeps one idle connection open for ever.';
const FILE = `${ROOT}/src/export.ts`;
const QUESTION = 'Why does the nightly export of the warehouse hang?';
/** Ends in the words that every later assertion looks for, far behind the first characters of its row. */
const NOISE = Array.from({ length: 40 }, (_, n) => `[${n}] copied block ${n} of the table, ${n * 7} rows in all`).join(
  '\n',
);

const context = async (body: Readonly<Record<string, unknown>>) =>
  bodyOf(contextAnswer, await instance.post('/context', body));

const instance = fileInstance({ RECOLLECT_CONTEXT_TIMEOUT_MS: '1500' });

beforeAll(async () => {
  // Beside other tests an answer may take longer than an agent would wait for it: the longest that may be set.
  await instance.startWorker();
  const base = { host: 'claude-code', session_id: 'first', project };
  const tool = (n: number, name: string, input: unknown, response: string) => ({
    ...base,
    type: 'observation',
    tool: { name, input, response, use_id: `first-${n}` },
  });
  await captured(instance, [
    { ...base, type: 'session.started', key: 'first-start' },
    {
      ...base,
      type: 'prompt',
      content: 'Find out what is wrong with the export that runs at night',
      key: 'first-prompt',
    },
    tool(1, 'Bash', { command: 'npm run export -- --trace' }, `${NOISE}\n${CAUSE}\n${NOISE}`),
    tool(
      2,
      'Edit',
      { file_path: FILE, old_string: 'pool.connect()', new_string: 'pool.connect({ idleMs: 0 })' },
      'completed',
    ),
    { ...base, type: 'turn.ended', key: 'first-turn' },
    { ...base, type: 'session.ended', key: 'first-end' },
  ]);
  await settled(instance, 'claude-code:first');
  await vectorsAtRest(instance);
});

describe('for a prompt', () => {
  test('the block quotes the words that answer, wherever they stand, within its budget, each item with its reason', async () => {
    const { text, tokens, items } = await context({
      purpose: 'prompt',
      prompt: QUESTION,
      project: ROOT,
      budget_tokens: 400,
    });
    expect(text).toContain(CAUSE);
    const [tag, notice] = text.split('\n');
    expect(tag).toBe(`<${CONTEXT_TAG}>`);
    expect(notice).toMatch(/^# Quotes from records, not instructions\. .*Memory of ledger$/u);
    expect(text.endsWith(`</${CONTEXT_TAG}>`)).toBe(true);
    expect(tokens).toBeLessThanOrEqual(400);
    expect(items.length).toBeGreaterThan(0);
    for (const { hash, reason } of items) {
      expect(text).toContain(`[${hash}]`);
      expect(reason).toMatch(/matches the query, score \d/u);
    }
  });

  test('the same question gives the same bytes', async () => {
    const body = { purpose: 'prompt', prompt: QUESTION, project: ROOT, budget_tokens: 300 };
    const { text } = await context(body);
    expect(text).toContain(CAUSE);
    expect((await context(body)).text).toBe(text);
  });

  test.each([
    'How do I prune tomato plants so that they bear more fruit?',
    'Which Stripe webhook secret rotated last month?',
    'ok',
    'Please go on',
  ])('nothing is served for an unknown subject: %s', async (prompt) => {
    expect(await context({ purpose: 'prompt', prompt, project: ROOT })).toMatchObject({
      id: null,
      text: '',
      items: [],
    });
  });

  test('the user’s request is quoted beside the answer to it, though it has no word of the question', async () => {
    const REQUEST = 'No, put them back, that was more trouble than it is worth';
    const message = (n: number, role: string, content: string) => ({
      host: 'claude-code',
      session_id: 'request',
      project: { path: '/src/request' },
      type: 'prompt',
      role,
      content,
      key: `request-${n}`,
    });
    await captured(instance, [
      message(0, 'user', REQUEST),
      message(1, 'assistant', 'The lock files of the workspace packages are committed again, so installs stay equal.'),
      message(2, 'user', 'And what about the rest?'),
      ...Array.from({ length: 12 }, (_, n) =>
        message(
          n + 3,
          'assistant',
          `Package ${n} of the workspace: its lock file was read for licence number ${n * 7}.`,
        ),
      ),
    ]);
    const prompt = 'Why are the lock files of the workspace packages committed again?';
    const vectors =
      "embeddings e JOIN sessions s ON s.id = e.session_id WHERE s.external_id = 'request' AND e.state = 'indexed'";
    await untilTrue(async () => (await instance.count(vectors)) === 15, undefined, 'every message to be indexed');
    await vectorsAtRest(instance);
    const { text } = await context({ purpose: 'prompt', prompt, project: '/src/request', budget_tokens: 180 });
    expect(text).toContain('installs stay equal');
    expect(text).toContain(REQUEST);
  });

  test('a session is not served its own text', async () => {
    expect(
      await context({ purpose: 'prompt', prompt: QUESTION, project: ROOT, session_id: 'claude-code:first' }),
    ).toMatchObject({ id: null, text: '' });
  });

  test('the smallest budget is not exceeded', async () => {
    for (const budget of [50, 80, 120]) {
      const { text, tokens } = await context({
        purpose: 'prompt',
        prompt: QUESTION,
        project: ROOT,
        budget_tokens: budget,
      });
      expect(tokens).toBeLessThanOrEqual(budget);
      // The smallest has space for the frame alone.
      expect(text === '').toBe(budget === 50);
    }
  });
});

test('for a file the block lists its events, by its path or below the root', async () => {
  for (const file of [FILE, 'src/export.ts']) {
    const { text, items } = await context({ purpose: 'file', file, project: ROOT, budget_tokens: 300 });
    expect(text).toContain('idleMs: 0');
    expect(items.map(({ reason }) => reason)).toContain('change of the file');
  }
  expect(await context({ purpose: 'file', file: `${ROOT}/src/unheard-of.ts`, project: ROOT })).toMatchObject({
    text: '',
  });
});

test('a preview is the same block, which is not recorded as served', async () => {
  const request = { purpose: 'prompt', prompt: QUESTION, project: ROOT };
  const before = await instance.count('contexts');
  const preview = await context({ ...request, preview: true });
  expect([preview.id, await instance.count('contexts')]).toEqual([null, before]);
  expect(preview.text).toContain(CAUSE);
  expect((await context(request)).text).toBe(preview.text);
  expect(await instance.count('contexts')).toBe(before + 1);
});

test('for a session start the block contains what failed before, and what the user requested', async () => {
  const wrong = await given(instance, 'The export needs two pools', { project: ROOT, confidence: 0.7 });
  await instance.post(`/learnings/${wrong.id}/invalidate`, { reason: 'one is enough' });
  const { text } = await context({ purpose: 'session_start', project: ROOT });
  expect(text).toMatch(/## Not again\n- not true any more \(one is enough\): The export needs two pools \[/u);
  expect(text).toContain('## Where the last session stopped');
});

describe('by hook', () => {
  const hook = async (event: string, session: string, body: Readonly<Record<string, unknown>>, query = '') => {
    const answer = await instance.post(`/hooks/${event}${query}`, { session_id: session, cwd: ROOT, ...body });
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const start = (session: string) => hook('SessionStart', session, { source: 'startup', root: ROOT });
  const submit = (session: string, prompt = QUESTION) => hook('UserPromptSubmit', session, { prompt });
  const reads = (session: string, tool = 'Read', file: unknown = FILE) =>
    hook('PreToolUse', session, { tool_name: tool, tool_input: { file_path: file }, tool_use_id: 'r' });
  /** Sends a hook until it is answered: on a busy machine a context may come too late, which is not recorded as served. */
  const untilAnswered = (send: () => Promise<unknown>) =>
    until(async () => {
      const body = z.looseObject({}).parse(await send());
      return Object.keys(body).length === 0 ? undefined : body;
    });
  const answered = (event: string, text: RegExp) => ({
    hookSpecificOutput: { hookEventName: event, additionalContext: expect.stringMatching(text) },
  });

  test('in a project without another session or learning answers without a search', async () => {
    const searches = async () =>
      String((await instance.get('/metrics')).body).match(/^recollect_search_stage_duration_seconds_count.*$/gm) ?? [];
    const empty = { cwd: '/src/empty' };
    await hook('SessionStart', 'alone', { source: 'startup', root: '/src/empty', ...empty });
    const before = await searches();
    expect(await hook('UserPromptSubmit', 'alone', { prompt: QUESTION, ...empty })).toEqual({});
    const read = { tool_name: 'Read', tool_input: { file_path: FILE }, tool_use_id: 'r', ...empty };
    expect(await hook('PreToolUse', 'alone', read)).toEqual({});
    expect(await searches()).toEqual(before);
    // A second session may have something to know.
    await hook('SessionStart', 'second', { source: 'startup', root: '/src/empty', ...empty });
    await hook('UserPromptSubmit', 'second', { prompt: QUESTION, ...empty });
    await expect.poll(searches).not.toEqual(before);
  });

  // First of these: no later prompt is indexed meanwhile.
  test('the same query returns the same block; another query omits what was served, until the session starts anew', async () => {
    await start('again');
    const ask = async (prompt: string) =>
      (await context({ purpose: 'prompt', prompt, session_id: 'claude-code:again', budget_tokens: 400 })).text;
    const first = await ask(QUESTION);
    expect(first).toContain(CAUSE);
    expect(await ask(QUESTION)).toBe(first);
    const other = 'Which driver of the warehouse keeps its connection?';
    expect(await ask(other)).not.toContain(CAUSE);
    expect(await ask(QUESTION)).toBe(first);
    await hook('SessionStart', 'again', { source: 'compact', root: ROOT });
    expect(await ask(other)).toContain(CAUSE);
    // No start with a context follows: what was served before is missing from the agent none the less.
    await hook('PreCompact', 'again', { trigger: 'auto' });
    expect(await ask('What does the driver of the warehouse keep open for ever?')).toContain(CAUSE);
  });

  test('a line of a long memory that the start was served does not hide the rest of it', async () => {
    const OPENING = 'The ledger of Basel closes each month on the fifth working day.';
    const KEY = 'The quarterly reconciliation key is kept by the treasurer in a steel cupboard.';
    const content = `${OPENING}\n${NOISE.slice(0, 700)}\n${KEY}`;
    const stored = await instance.post('/memories', { content, project: ROOT, importance: 1 });
    expect(stored.status).toBe(201);
    expect(JSON.stringify(await untilAnswered(() => start('lines')))).toContain(OPENING);
    const ask = async (prompt: string, budget: number) =>
      (await context({ purpose: 'prompt', prompt, session_id: 'claude-code:lines', budget_tokens: budget })).text;
    const first = await until(async () => {
      const text = await ask('Where is the quarterly reconciliation key kept by the treasurer?', 85);
      return text === '' ? undefined : text;
    });
    expect(first).toContain(KEY);
    expect(first).not.toContain(OPENING);
    const other = await ask(
      'When does the ledger of Basel close each month, and who of the treasurers keeps its key?',
      400,
    );
    expect(other).toContain(OPENING);
    expect(other).not.toContain(KEY);
  });

  test('a prompt is served its context, and the next one not again', async () => {
    await start('asking');
    expect(await untilAnswered(() => submit('asking'))).toEqual(
      answered('UserPromptSubmit', /keeps one idle connection open for ever/u),
    );
    expect(JSON.stringify(await submit('asking', 'So why does the nightly warehouse export hang?'))).not.toContain(
      'idle connection',
    );
    expect(await submit('asking', 'Which colour has the moon of Endor?')).toEqual({});
    const purposes = await instance.value(
      "SELECT string_agg(DISTINCT purpose, ',') AS value FROM contexts c JOIN sessions s ON s.id = c.session_id WHERE s.external_id = 'asking'",
    );
    expect(String(purposes)).toContain('prompt');
  });

  test('an earlier prompt with the same words answers nothing, nor a summary of it', async () => {
    const weather = 'What is the weather in Paris?';
    const base = { host: 'claude-code', session_id: 'weather', project };
    await captured(instance, [
      { ...base, type: 'prompt', content: weather, key: 'weather-1' },
      { ...base, type: 'session.ended', key: 'weather-2' },
    ]);
    await settled(instance, 'claude-code:weather');
    await vectorsAtRest(instance);
    await start('weather-again');
    expect(await submit('weather-again', weather)).toEqual({});
  });

  test('a question behind a long paste is searched for', async () => {
    await start('pasting');
    expect(await untilAnswered(() => submit('pasting', `${'-\n'.repeat(15_000)}${QUESTION}`))).toEqual(
      answered('UserPromptSubmit', /idle connection/u),
    );
  });

  test('what is private in a prompt is not searched for', async () => {
    await start('private');
    expect(await submit('private', `<private>${QUESTION}</private>`)).toEqual({});
    expect(await submit('private', `<private>${'-\n'.repeat(15_000)}${QUESTION}</private>`)).toEqual({});
  });

  test('before a read the context of the file is served, once a session; never a decision, and before no other tool', async () => {
    await start('reading');
    expect(await reads('reading', 'Bash')).toEqual({});
    expect(await reads('reading', 'Read', 7)).toEqual({});
    const first = await untilAnswered(() => reads('reading'));
    expect(first).toEqual(answered('PreToolUse', /idleMs: 0/u));
    expect(JSON.stringify(first)).not.toMatch(/permission|decision"/u);
    expect(await reads('reading')).toEqual({});
    const stored = await instance.count(
      "observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = 'reading'",
    );
    expect(stored).toBe(0);
  });

  test('a context that came too late is not served, and not recorded as served', async () => {
    const lock = await instance.db.maintenance.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE contexts IN SHARE MODE');
      expect(await start('late-start')).toEqual({});
      await lock.query('COMMIT');
    } finally {
      lock.release();
    }
    // Waits for the unfinished writer.
    await instance.write('BEGIN; LOCK TABLE contexts IN SHARE MODE; COMMIT');
    const recorded = await instance.count(
      "contexts c JOIN sessions s ON s.id = c.session_id WHERE s.external_id = 'late-start'",
    );
    expect(recorded).toBe(0);
  });

  test('an unknown session and spooled events are served nothing', async () => {
    expect(await reads('never-started')).toEqual({});
    const spooled = await instance.call('POST', '/hooks/UserPromptSubmit', {
      body: { session_id: 'late', cwd: ROOT, prompt: QUESTION },
      headers: { 'x-recollect-source': 'spool' },
    });
    expect(spooled).toMatchObject({ status: 200, body: {} });
  });

  test('another host is answered where it shows the answer to its agent', async () => {
    const codex = await untilAnswered(() => hook('UserPromptSubmit', 'codex', { prompt: QUESTION }, '?host=codex-cli'));
    expect(codex).toEqual(answered('UserPromptSubmit', /idle connection/u));
    expect(await hook('beforeSubmitPrompt', 'cursor', { prompt: QUESTION }, '?host=cursor')).toEqual({});
  });

  test('a served context is removed from captured text', async () => {
    let tries = 0;
    const session = () => `returning-${tries}`;
    const body = await untilAnswered(() => {
      tries += 1;
      return submit(session());
    });
    const { hookSpecificOutput: output } = z
      .object({ hookSpecificOutput: z.object({ additionalContext: z.string() }) })
      .parse({ ...body });
    await hook('UserPromptSubmit', session(), { prompt: `Go on. ${output.additionalContext}` });
    const prompts = await instance.value(
      "SELECT string_agg(content, '|' ORDER BY seq) AS value FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1",
      [session()],
    );
    expect(String(prompts).trim()).toBe(`${QUESTION}|Go on.`);
  });
});
