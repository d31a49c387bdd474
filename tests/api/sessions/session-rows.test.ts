import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { pageOfItems } from '../../../contract/shared.ts';
import { observationSchema, promptSchema } from '../../../contract/sessions.ts';
import { captured } from '../../setup/small-session.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const instance = fileInstance();
const list = pageOfItems(z.union([promptSchema, observationSchema]));
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
