import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesServer } from '../models/claude/messages-server.ts';
import { createFakeClaude, quotaEvent, rejectedLines } from '../models/claude-cli/fake-claude.ts';
import type { FakeClaude } from '../models/claude-cli/fake-claude.ts';
import { serverSettings, startCompletionsServer } from '../models/openai/completions-server.ts';
import type { CompletionsServer } from '../models/openai/completions-server.ts';
import { replay, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';

const WITHIN = { timeout: 240_000 };
const PRICES = '0.5,2,0.5,0.05';
let first: MessagesServer;
let second: CompletionsServer;
let instance: TestInstance;
let program: FakeClaude | undefined;

beforeAll(async () => {
  first = await startMessagesServer({ author: true });
  second = await startCompletionsServer({ dialect: 'openrouter' });
});
afterAll(async () => {
  await first.close();
  await second.close();
});
afterEach(async () => {
  first.down(null);
  second.down(null);
  await instance.close();
  program?.remove();
});

async function start(settings: Readonly<Record<string, string>>): Promise<void> {
  instance = await startTestInstance({
    ...providerSettings(first),
    ...serverSettings(second),
    RECOLLECT_OPENAI_LARGE_MODEL_PRICES: PRICES,
    RECOLLECT_MODEL_PROVIDER: 'anthropic,openai',
    RECOLLECT_SESSION_RETRY_MS: '300',
    ...settings,
  });
  await instance.startWorker();
}

/** Captures a session of one window, and waits until it is settled. */
async function understood(id: string) {
  await replay(instance, [
    {
      session_id: id,
      cwd: '/src/clock',
      hook_event_name: 'UserPromptSubmit',
      prompt: `Please always keep times in UTC, because two servers of ${id} disagreed.`,
    },
    { session_id: id, cwd: '/src/clock', hook_event_name: 'SessionEnd', reason: 'other' },
  ]);
  return settled(instance, `claude-code:${id}`);
}

/** What the session cost, by provider: paid calls, and US dollars as the tokens of the ledger and the settings say. */
async function costs(id: string) {
  const rows = await instance.rows<{
    provider: string;
    calls: number;
    usd: number;
    input: number;
    cached: number;
    output: number;
  }>(
    `SELECT provider, count(*)::integer AS calls, sum(cost_usd)::float AS usd, sum(input_tokens - tokens_cached)::integer AS input,
            sum(tokens_cached)::integer AS cached, sum(output_tokens)::integer AS output
       FROM usage_ledger u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = $1 AND NOT cache_hit GROUP BY 1 ORDER BY 1`,
    [id],
  );
  return rows;
}

describe('a session whose first provider', () => {
  test.each([
    ['rate_limit_error', 429, { 'retry-after': '120' }],
    ['overloaded_error', 529, {}],
  ])('answers with %s is settled by the second one, at its price', WITHIN, async (type, status, headers) => {
    await start({});
    const id = `failing-${String(status)}`;
    const answered = second.answered();
    first.down({ kind: 'error', status, type, headers });
    expect(await understood(id)).toMatchObject({ waiting_reason: null, counts: { windows_parked: 0 } });
    // One paid call for the window, the session and its learnings each.
    expect(second.answered() - answered).toBe(3);
    const [row, ...others] = await costs(id);
    expect(others).toEqual([]);
    expect(row).toMatchObject({ provider: 'openai', calls: 3 });
    const { input = 0, cached = 0, output = 0, usd } = row ?? {};
    expect(usd).toBeCloseTo((0.5 * input + 0.05 * cached + 2 * output) / 1_000_000, 5);
    const models = await instance.rows(
      'SELECT DISTINCT m.model FROM summaries m JOIN sessions s ON s.id = m.session_id WHERE s.external_id = $1',
      [id],
    );
    expect(models).toEqual([{ model: 'local-test-model' }]);
  });

  test('has no budget left is settled by the second one; the report names the providers', WITHIN, async () => {
    await start({ RECOLLECT_MODEL_PROVIDER_TOKENS: 'anthropic=1' });
    const before = first.requests.length;
    expect(await understood('spent')).toMatchObject({ waiting_reason: null, counts: { windows_parked: 0 } });
    expect(first.requests).toHaveLength(before);
    expect(await costs('spent')).toMatchObject([{ provider: 'openai', calls: 3 }]);
    const { body } = await instance.call('GET', '/usage?group_by=provider');
    expect(body).toMatchObject({ groups: [{ key: 'openai', name: 'openai', calls: 3 }] });
  });

  test('is the program of the user with an exhausted quota runs it once', WITHIN, async () => {
    const resetsAt = Math.ceil(Date.now() / 1_000) + 3_600;
    program = createFakeClaude([{ lines: [quotaEvent(1, resetsAt, 'rejected'), ...rejectedLines(429, 'limit')] }]);
    const settings = { RECOLLECT_MODEL_PROVIDER: 'claude-cli,openai', RECOLLECT_CLAUDE_CLI_COMMAND: program.command };
    await start(settings);
    // The owner of the machine's own sessions: an admin of the tenant that `recollect up` creates.
    await instance.write("UPDATE tenants SET name = 'local' WHERE id = $1", [instance.admin.tenantId]);
    expect(await understood('quota')).toMatchObject({ waiting_reason: null });
    expect(program.runs()).toHaveLength(1);
    expect(await costs('quota')).toMatchObject([{ provider: 'openai', calls: 3 }]);
  });

  test('is the program of a user reads no sessions of others', WITHIN, async () => {
    program = createFakeClaude([{ lines: [] }]);
    await start({ RECOLLECT_MODEL_PROVIDER: 'claude-cli,openai', RECOLLECT_CLAUDE_CLI_COMMAND: program.command });
    await instance.write("UPDATE tenants SET name = 'another' WHERE id = $1", [instance.admin.tenantId]);
    expect(await understood('others')).toMatchObject({ waiting_reason: null });
    expect(program.runs()).toEqual([]);
  });
});

test('small windows and everything else have providers of their own', WITHIN, async () => {
  await start({ RECOLLECT_SMALL_MODEL_PROVIDER: 'openai', RECOLLECT_MODEL_PROVIDER: 'anthropic' });
  await understood('tiers');
  expect(await costs('tiers')).toMatchObject([
    { provider: 'anthropic', calls: 2 },
    { provider: 'openai', calls: 1 },
  ]);
});
