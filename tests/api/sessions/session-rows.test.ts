import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { cursorPageOf } from '../../../contract/shared.ts';
import { observationSchema, promptSchema, windowSchema } from '../../../contract/sessions.ts';
import { newId } from '../../../domain/ids.ts';
import { captured } from '../../setup/small-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const instance = fileInstance();
const list = cursorPageOf(z.union([promptSchema, observationSchema]));
const base = { session_id: 'crew', cwd: '/src/crew' };
const helper = { agent_id: 'a-1', agent_type: 'Explore' };

async function hook(event: string, body: object): Promise<void> {
  expect((await instance.post(`/hooks/${event}`, { ...base, hook_event_name: event, ...body })).status).toBe(200);
}

const rows = async (path: string) => bodyOf(list, await instance.get(`/sessions/claude-code:crew/${path}`));

beforeAll(async () => {
  await hook('UserPromptSubmit', { prompt: 'Find the bug' });
  await hook('SubagentStart', { ...helper, timestamp: '2026-01-02T03:04:05Z' });
  await hook('PostToolUse', {
    ...helper,
    tool_name: 'Read',
    tool_input: { file_path: '/src/crew/a.ts' },
    tool_response: 'text',
    tool_use_id: 't1',
  });
  await hook('PostToolUse', {
    tool_name: 'Bash',
    tool_input: { command: 'ls' },
    tool_response: 'a.ts',
    tool_use_id: 't2',
  });
  await hook('PostToolUse', {
    agent_id: 'a-2',
    agent_type: 'Plan',
    tool_name: 'Grep',
    tool_input: {},
    tool_response: 'none',
    tool_use_id: 't3',
  });
  await hook('SubagentStop', { ...helper, last_assistant_message: 'It is in a.ts', timestamp: '2026-01-02T03:05:05Z' });
});

test('sub-agents are children of the session: when they ran, and the number of their rows', async () => {
  const { agents } = z
    .object({ agents: z.array(z.unknown()) })
    .parse((await instance.get('/sessions/claude-code:crew')).body);
  expect(agents).toEqual([
    {
      id: 'a-1',
      type: 'Explore',
      started_at: '2026-01-02T03:04:05.000Z',
      stopped_at: '2026-01-02T03:05:05.000Z',
      prompts: 1,
      observations: 1,
    },
    // Its start was missed; it is known by what it did.
    { id: 'a-2', type: 'Plan', started_at: null, stopped_at: null, prompts: 0, observations: 1 },
  ]);
});

test('rows say whose they are, in order, and are filtered by agent', async () => {
  expect((await rows('observations')).data).toMatchObject([
    { tool: 'Read', agent: { id: 'a-1', type: 'Explore' }, files_read: ['/src/crew/a.ts'] },
    { tool: 'Bash', agent: null },
    { tool: 'Grep', agent: { id: 'a-2', type: 'Plan' } },
  ]);
  expect((await rows('observations?agent=a-2')).data).toMatchObject([{ tool: 'Grep' }]);
  expect((await rows('observations?agent=unknown')).pagination.total).toBe(0);
  expect((await rows('prompts')).data).toMatchObject([
    { role: 'user', content: 'Find the bug', agent: null },
    { role: 'assistant', content: 'It is in a.ts', agent: { id: 'a-1', type: 'Explore' } },
  ]);
  expect((await rows('prompts?agent=a-1')).pagination.total).toBe(1);
});

test('full texts are returned on request', async () => {
  const [brief] = (await rows('observations?limit=1')).data;
  const [full] = (await rows('observations?limit=1&full=true')).data;
  expect(brief).not.toHaveProperty('content');
  expect(full?.content).toContain('text');
  const second = await rows('observations?limit=1&page=2');
  expect(second.data).toMatchObject([{ tool: 'Bash' }]);
  expect(second.pagination).toMatchObject({ total: 3, has_next: true, has_prev: true });
});

describe('a page of rows', () => {
  const seqs: number[] = [];
  const page = async (query: string) => {
    const { data, pagination } = await rows(`observations?${query}`);
    return { at: data.map(({ seq }) => seqs.indexOf(seq)), ...pagination };
  };

  beforeAll(async () => {
    for (let n = 4; n < 10; n += 1)
      await hook('PostToolUse', { tool_name: 'Bash', tool_input: {}, tool_response: `${n}`, tool_use_id: `t${n}` });
    seqs.push(...(await rows('observations?limit=100')).data.map(({ seq }) => seq));
  });

  test('leads to the rows after and before it', async () => {
    const first = await page('limit=4');
    expect(first).toMatchObject({ at: [0, 1, 2, 3], total: 9, has_next: true, has_prev: false, prev_cursor: null });
    const second = await page(`limit=4&cursor=${first.next_cursor}`);
    expect(second).toMatchObject({ at: [4, 5, 6, 7], total: null, has_next: true, has_prev: true });
    const last = await page(`limit=4&cursor=${second.next_cursor}`);
    expect(last).toMatchObject({ at: [8], has_next: false, next_cursor: null });
    expect(await page(`limit=4&cursor=${last.prev_cursor}`)).toMatchObject({ at: [4, 5, 6, 7], total: null });
    const back = await page(`limit=5&cursor=${second.prev_cursor}`);
    expect(back).toMatchObject({ at: [0, 1, 2, 3], has_prev: false, prev_cursor: null, has_next: true });
    expect((await page(`cursor=${back.next_cursor}&around=1`)).at).toEqual([4, 5, 6, 7, 8]);
    expectError(
      await instance.get(`/sessions/claude-code:crew/prompts?cursor=${back.next_cursor}`),
      'VALIDATION_FAILED',
    );
  });

  test.each([
    ['the middle', 5, 4, [3, 4, 5, 6], true, true],
    ['the beginning', 0, 4, [0, 1, 2, 3], false, true],
    ['the end', 8, 4, [6, 7, 8], true, false],
    ['one row', 5, 1, [5], true, true],
  ])('is around a position: %s', async (_, place, limit, at, hasPrev, hasNext) => {
    expect(await page(`limit=${limit}&around=${seqs[place]}`)).toMatchObject({
      at,
      total: 9,
      has_prev: hasPrev,
      has_next: hasNext,
    });
  });

  test('is around a position of another kind of row, or behind the last', async () => {
    expect((await page(`limit=4&around=${seqs[5]}`)).at).toContain(5);
    expect(await page('limit=4&around=2147483647')).toMatchObject({ at: [7, 8], has_next: false, has_prev: true });
    expect((await rows(`prompts?around=${seqs[0]}`)).data).toHaveLength(2);
  });
});

test('windows are listed with their range, state, failure and summaries', async () => {
  const of = "FROM sessions WHERE external_id = 'crew'";
  await instance.write(
    `INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason, state, attempts, error)
     SELECT id, n, tenant_id, n * 2 - 1, n * 2, 10, 'turn', CASE n WHEN 2 THEN 'parked' ELSE 'summarised' END, n, CASE n WHEN 2 THEN 'ModelRefused: no' END
       FROM sessions, generate_series(1, 3) AS n WHERE external_id = 'crew'`,
  );
  const topic = await instance.write(
    `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, window_n, from_seq, to_seq, occurred_at)
     SELECT $1, tenant_id, id, user_id, 'window:1', 'topic', 'A title', 'Text', 'local', 1, 1, 0, 1, 1, 2, now() ${of} RETURNING id`,
    [newId()],
  );
  const windows = async (query: string) =>
    bodyOf(cursorPageOf(windowSchema), await instance.get(`/sessions/claude-code:crew/windows?${query}`));
  const first = await windows('limit=2');
  expect(first.data).toMatchObject([
    {
      n: 1,
      from_seq: 1,
      to_seq: 2,
      tokens: 10,
      state: 'summarised',
      attempts: 1,
      error: null,
      summary_ids: [topic[0]?.id],
    },
    { n: 2, from_seq: 3, to_seq: 4, state: 'parked', attempts: 2, error: 'ModelRefused: no', summary_ids: [] },
  ]);
  expect(first.pagination).toMatchObject({ total: 3, has_next: true });
  const rest = await windows(`limit=2&cursor=${first.pagination.next_cursor}`);
  expect(rest.data.map(({ n }) => n)).toEqual([3]);
  expect(rest.pagination).toMatchObject({ total: null, next_cursor: null });
  expect((await windows('state=parked')).data.map(({ n }) => n)).toEqual([2]);
  expectError(await instance.get('/sessions/unknown/windows'), 'NOT_FOUND');
});

test('are shown to their owner and admins alone', async () => {
  const owner = await instance.user();
  const colleague = await instance.user();
  const stranger = await instance.stranger({ role: 'admin' });
  await captured(instance, [promptEvent('own', 'mine')], owner.key);
  const rows = await instance.rows<{ id: string }>("SELECT id FROM sessions WHERE external_id = 'own'");
  const id = rows[0]?.id ?? '';
  const total = async (key: string) =>
    list.parse((await instance.get(`/sessions/${id}/prompts`, key)).body).pagination.total;
  expect([await total(owner.key), await total(colleague.key), await total(instance.admin.key)]).toEqual([1, 0, 1]);
  for (const [name, { key }] of [
    [id, stranger],
    ['test:own', stranger],
    ['test:own', colleague],
  ] as const)
    expectError(await instance.get(`/sessions/${name}/prompts`, key), 'NOT_FOUND');
  for (const path of ['prompts?limit=0', 'observations?agent=', 'observations?full=perhaps', 'prompts?full=true'])
    expectError(await instance.get(`/sessions/test:own/${path}`), 'VALIDATION_FAILED');
});
