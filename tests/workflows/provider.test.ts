import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { providerSettings, isRepair, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesRequest, MessagesServer, Reply } from '../models/claude/messages-server.ts';
import { replay, sessionOf, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';

const LEARNING_WORKFLOW_NAME = 'learning';
const QUOTE = 'always keep times in UTC';
let provider: MessagesServer;
let instance: TestInstance;

/** Returns a valid response to each of the three calls; its evidence is in the first row. */
function goodAnswer(request: MessagesRequest): Reply {
  const schema = JSON.stringify(request.output_config?.format.schema ?? {});
  const evidence = [{ row: 'R1', quote: QUOTE }];
  const cited = [{ text: 'Times are stored in UTC.', evidence }];
  const invented = [{ text: 'It was never written.', evidence: [{ row: 'R1', quote: 'words of no row' }] }];
  if (schema.includes('"learnings"'))
    return {
      kind: 'message',
      answer: {
        learnings: [
          {
            category: 'best_practice',
            title: 'UTC',
            description: 'Keep times in UTC.',
            context: '',
            examples: [],
            tags: ['time'],
            confidence: 0.9,
            relation: { kind: 'new', known: '' },
            evidence,
          },
        ],
      },
    };
  if (schema.includes('"nextSteps"'))
    return {
      kind: 'message',
      answer: {
        title: 'Times in UTC',
        request: 'r',
        investigated: '',
        learned: '',
        completed: 'c',
        nextSteps: '',
        notes: '',
        keyPoints: cited,
        actionItems: [],
      },
    };
  return {
    kind: 'message',
    answer: {
      title: 'UTC',
      content: 'Times are stored in UTC.',
      keyPoints: [...cited, ...invented],
      actionItems: [],
      items: [],
    },
  };
}

function session(id: string) {
  return [
    {
      session_id: id,
      cwd: '/src/clock',
      hook_event_name: 'UserPromptSubmit',
      // Each prompt differs: the response to the same request would come from the cache.
      prompt: `Please ${QUOTE}, because two servers of ${id} disagreed.`,
    },
    { session_id: id, cwd: '/src/clock', hook_event_name: 'SessionEnd', reason: 'other' },
  ];
}

async function usage(external: string): Promise<{ operation: string; input_tokens: number }[]> {
  const rows = await instance.rows<{ operation: string; input_tokens: number }>(
    'SELECT operation, input_tokens FROM usage_ledger u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = $1 ORDER BY u.id',
    [external],
  );
  return rows;
}

beforeAll(async () => {
  provider = await startMessagesServer();
  provider.otherwise(goodAnswer);
  instance = await startTestInstance({
    ...providerSettings(provider),
    RECOLLECT_SESSION_RETRY_MS: '300',
  });
  await instance.startWorker();
});
afterAll(async () => {
  await instance.close();
  await provider.close();
});

test(
  'a window, a session and its learnings cost one call each; claims without a verbatim quote are dropped',
  { timeout: 240_000 },
  async () => {
    await replay(instance, session('good'));
    const settledSession = await settled(instance, 'claude-code:good');
    expect(settledSession.counts).toMatchObject({ summaries: 2, learnings: 1 });
    expect(await usage('good')).toEqual([
      { operation: 'summarise_window', input_tokens: expect.any(Number) },
      { operation: 'summarise_session', input_tokens: expect.any(Number) },
      { operation: 'extract_learnings', input_tokens: expect.any(Number) },
    ]);
    const topic = await instance.rows<{ key_points: unknown[] }>(
      "SELECT key_points FROM summaries WHERE type = 'topic' AND session_id = $1",
      [settledSession.id],
    );
    expect(topic[0]?.key_points).toHaveLength(1);
  },
);

test('learnings that were extracted are not paid for again', { timeout: 240_000 }, async () => {
  const { id } = await sessionOf(instance, 'claude-code:good');
  const before = provider.requests.length;
  const again: unknown = await instance.temporal.workflow.execute(LEARNING_WORKFLOW_NAME, {
    taskQueue: QUEUES.session,
    workflowId: `${workflowIdOf('learning', instance.admin.tenantId, id)}/again`,
    args: [{ tenantId: instance.admin.tenantId, sessionId: id }],
  });
  expect(again).toMatchObject({ written: 0, calls: 0, tokens: 0, usd: 0 });
  expect(provider.requests).toHaveLength(before);
});

test(
  'a rate-limited session waits visibly and continues by itself; capture continues meanwhile',
  { timeout: 240_000 },
  async () => {
    let isLimited = true;
    provider.otherwise((request) =>
      isLimited
        ? { kind: 'error', status: 429, type: 'rate_limit_error', headers: { 'retry-after': '1' } }
        : goodAnswer(request),
    );
    await replay(instance, session('quota').slice(0, 1));
    await replay(instance, session('quota').slice(1), 1);
    const waiting = await until(async () => {
      const seen = await sessionOf(instance, 'claude-code:quota');
      return seen.waiting_reason === null ? undefined : seen;
    });
    expect(waiting).toMatchObject({ waiting_reason: 'ProviderRateLimited', status: 'active' });
    const late = { session_id: 'quota', cwd: '/src/clock', hook_event_name: 'Notification', message: 'still here' };
    await replay(instance, [late], 2);
    isLimited = false;
    await replay(instance, session('quota').slice(1), 3);
    const done = await settled(instance, 'claude-code:quota');
    expect(done).toMatchObject({ waiting_reason: null, counts: { observations: 1, windows_parked: 0 } });
  },
);

test(
  'output that stays invalid after one repair parks the window with its reason; nothing is lost',
  { timeout: 240_000 },
  async () => {
    provider.otherwise((request) =>
      JSON.stringify(request.messages).includes('UTC') &&
      JSON.stringify(request.output_config ?? {}).includes('"keyPoints"')
        ? { kind: 'message', answer: { wrong: true } }
        : goodAnswer(request),
    );
    await replay(instance, session('parked').slice(0, 1));
    await instance.call('POST', '/events', { body: { type: 'boundary', host: 'claude-code', session_id: 'parked' } });
    const parked = await until(async () => {
      const rows = await instance.rows<{ error: string; state: string; attempts: number }>(
        "SELECT w.error, w.state, w.attempts FROM windows w JOIN sessions s ON s.id = w.session_id WHERE s.external_id = 'parked' AND w.state = 'parked'",
      );
      return rows[0];
    });
    expect(parked.error).toContain('ModelOutputInvalid');
    expect(parked.error).not.toContain('UTC');
    // The failed calls, the repair included, are booked.
    expect((await usage('parked')).length).toBeGreaterThanOrEqual(2);

    provider.otherwise(goodAnswer);
    await replay(instance, session('parked').slice(1), 1);
    const done = await settled(instance, 'claude-code:parked');
    expect(done.counts).toMatchObject({ windows_parked: 0, prompts: 1 });
  },
);

/** What no column of PostgreSQL stores: `text` rejects NUL, `jsonb` half a surrogate pair. */
const UNSTORABLE = '\u0000\uD83D';

async function budget(): Promise<unknown> {
  return (await instance.get('/usage')).body;
}

test(
  'output that PostgreSQL cannot store is repaired once, parks its window and is paid; no reservation remains',
  { timeout: 240_000 },
  async () => {
    provider.otherwise((request) =>
      JSON.stringify(request.output_config ?? {}).includes('"items"')
        ? { kind: 'message', answer: `garbage ${UNSTORABLE} {not json"}` }
        : goodAnswer(request),
    );
    const before = provider.requests.length;
    await replay(instance, session('garbage').slice(0, 1));
    await instance.call('POST', '/events', { body: { type: 'boundary', host: 'claude-code', session_id: 'garbage' } });
    const parked = await until(async () => {
      const rows = await instance.rows<{ error: string }>(
        "SELECT w.error FROM windows w JOIN sessions s ON s.id = w.session_id WHERE s.external_id = 'garbage' AND w.state = 'parked'",
      );
      return rows[0];
    });
    expect(parked.error).toBe('ModelOutputInvalid: no JSON');
    expect(provider.requests.slice(before).map(isRepair)).toEqual([false, true]);
    expect(await usage('garbage')).toHaveLength(2);
    expect(await budget()).toMatchObject({ budget: { reserved_tokens: 0 } });
  },
);

test('texts of a model are stored without the characters that PostgreSQL rejects', { timeout: 240_000 }, async () => {
  provider.otherwise((request) => {
    const good = goodAnswer(request);
    if (good.kind !== 'message') return good;
    return {
      ...good,
      answer: JSON.parse(
        JSON.stringify(good.answer).replaceAll('UTC', `UTC${JSON.stringify(UNSTORABLE).slice(1, -1)}`),
      ),
    };
  });
  await replay(instance, session('odd'));
  const { counts, id } = await settled(instance, 'claude-code:odd');
  expect(counts).toMatchObject({ windows_parked: 0 });
  const rows = await instance.rows("SELECT title FROM summaries WHERE session_id = $1 AND type = 'topic'", [id]);
  expect(rows).toEqual([{ title: 'UTC\uFFFD\uFFFD' }]);
});
