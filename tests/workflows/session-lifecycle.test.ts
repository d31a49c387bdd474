import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { workflowIdOf } from '../../workflows/registry.ts';
import type { SessionView } from '../../workflows/session/types.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { demoHooks, replay, sessionOf, settled } from '../setup/demo-session.ts';

const hooks = demoHooks();
const external = hooks[0]?.session_id ?? '';
const id = `claude-code:${external}`;
const summaries = z.object({
  data: z.array(
    z.looseObject({
      type: z.string(),
      title: z.string(),
      request: z.string().nullable(),
      version: z.number(),
      published: z.boolean(),
      files_modified: z.array(z.string()),
    }),
  ),
});
const instance = fileInstance();

beforeAll(async () => {
  await instance.startWorker();
});

describe('a recorded session, from its hooks to its memory', { timeout: 240_000 }, () => {
  test('settles with summaries, learnings and every vector', async () => {
    await replay(instance, hooks);
    const session = await settled(instance, id);
    expect(session.counts).toMatchObject({ prompts: 15, windows_parked: 0, vectors_failed: 0 });
    expect(session.counts.summaries).toBeGreaterThanOrEqual(5);
    expect(session.counts.learnings).toBeGreaterThanOrEqual(5);
    expect(session.last_error).toBeNull();
    expect(await instance.count("embeddings WHERE state = 'indexed'")).toBeGreaterThan(60);
    expect(await instance.count("embeddings WHERE state <> 'indexed'")).toBe(0);
  });

  test('every window is summarised once, and windows cover every row once', async () => {
    const rows = await instance.rows<{ n: number; from_seq: number; to_seq: number; state: string }>(
      'SELECT n, from_seq, to_seq, state FROM windows ORDER BY n',
    );
    expect(rows.length).toBeGreaterThan(1);
    let expected = 1;
    for (const window of rows) {
      expect(window).toMatchObject({ from_seq: expected, state: 'summarised' });
      expected = window.to_seq + 1;
    }
    expect(await instance.count("summaries WHERE type = 'topic'")).toBe(rows.length);
  });

  test('every learning cites stored rows that contain its quote', async () => {
    const orphans = await instance.count(
      `learning_evidence e WHERE NOT EXISTS (SELECT 1 FROM observations o WHERE o.id = e.row_id AND position(e.quote IN o.content) > 0)
        AND NOT EXISTS (SELECT 1 FROM prompts p WHERE p.id = e.row_id AND position(e.quote IN p.content) > 0)`,
    );
    expect(await instance.count('learning_evidence')).toBeGreaterThan(0);
    expect(orphans).toBe(0);
  });

  test('files are those that tools touched', async () => {
    const { data } = summaries.parse(
      (await instance.call('GET', `/sessions/${encodeURIComponent(id)}/summaries`)).body,
    );
    const own = data.find((summary) => summary.type === 'session');
    expect(own?.request).not.toBe('');
    const edited = new Set(
      hooks.flatMap((hook) =>
        hook.hook_event_name === 'PostToolUse' && ['Edit', 'Write'].includes(String(hook['tool_name']))
          ? [z.object({ file_path: z.string() }).parse(hook['tool_input']).file_path]
          : [],
      ),
    );
    expect(new Set(own?.files_modified)).toEqual(edited);
  });

  test('private text and secrets were removed before the first write', async () => {
    expect(await instance.count("observations WHERE content LIKE '%AKIA%' OR input::text LIKE '%AKIA%'")).toBe(0);
    expect(await instance.count("prompts WHERE content LIKE '%<private>%'")).toBe(0);
    expect(await instance.count("prompts WHERE redactions ? 'private'")).toBe(1);
    expect(await instance.count("observations WHERE redactions ? 'aws-access-key-id'")).toBe(1);
  });

  test('the workflow returns its state and is found by its phase', async () => {
    const session = await sessionOf(instance, id);
    const handle = instance.temporal.workflow.getHandle(workflowIdOf('session', instance.admin.tenantId, session.id));
    const view = await handle.query<SessionView>('state');
    expect(view).toMatchObject({ phase: 'settled', windowsPending: 0, waiting: null, windowsParked: 0 });
    expect(view.windowsSummarised).toBe(await instance.count('windows'));
    const history = await handle.fetchHistory();
    expect(history.events?.length).toBeLessThan(800);
  });

  test('a late capture reopens the session under the same id, and it settles again with a new version', async () => {
    const before = await sessionOf(instance, id);
    const base = { session_id: external, cwd: '/src/tally' };
    const late = [
      { ...base, hook_event_name: 'SessionStart', source: 'resume' },
      {
        ...base,
        hook_event_name: 'UserPromptSubmit',
        prompt:
          'One more thing: we decided that yen invoices wait until May, because the bank changes its format in April.',
      },
      { ...base, hook_event_name: 'SessionEnd', reason: 'logout' },
    ];
    await replay(instance, late, 1_000);
    expect((await sessionOf(instance, id)).status).toBe('active');
    const after = await settled(instance, id);
    expect(after.id).toBe(before.id);
    const { data } = summaries.parse(
      (await instance.call('GET', `/sessions/${encodeURIComponent(id)}/summaries`)).body,
    );
    expect(
      data.filter((summary) => summary.type === 'session').map((summary) => [summary.version, summary.published]),
    ).toEqual([
      [2, true],
      [1, false],
    ]);
  });

  test('delivering everything again stores nothing twice', async () => {
    const tables = ['prompts', 'observations', 'boundaries', 'capture_keys'];
    const before = await Promise.all(tables.map((table) => instance.count(table)));
    await replay(instance, hooks);
    expect(await Promise.all(tables.map((table) => instance.count(table)))).toEqual(before);
  });
});
