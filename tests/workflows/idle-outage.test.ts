import { afterAll, beforeAll, expect, test } from 'vitest';
import { workflowIdOf } from '../../workflows/registry.ts';
import type { SessionView } from '../../workflows/session/types.ts';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesServer } from '../models/claude/messages-server.ts';
import { replay, sessionOf } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';

let provider: MessagesServer;
let instance: TestInstance;

beforeAll(async () => {
  provider = await startMessagesServer();
  provider.otherwise(() => ({ kind: 'error', status: 429, type: 'rate_limit_error', headers: { 'retry-after': '1' } }));
  instance = await startTestInstance({
    ...providerSettings(provider),
    RECOLLECT_WINDOW_QUIET_MS: '200',
    RECOLLECT_SESSION_IDLE_MS: '400',
    RECOLLECT_SESSION_RETRY_MS: '300',
  });
  await instance.startWorker();
});
afterAll(async () => {
  await instance.close();
  await provider.close();
});

test('a session past its idle time waits for its provider quietly', { timeout: 240_000 }, async () => {
  const prompt = {
    session_id: 'quiet',
    cwd: '/src/q',
    hook_event_name: 'UserPromptSubmit',
    prompt: 'Keep it short, because it is read on a phone.',
  };
  await replay(instance, [prompt]);
  const { id } = await sessionOf(instance, 'claude-code:quiet');
  const handle = instance.temporal.workflow.getHandle(workflowIdOf('session', instance.admin.tenantId, id));
  // Nine refusals: three activities of three attempts each, a second or more apart, long after the idle time.
  await until(async () => (provider.requests.length >= 9 ? true : undefined), 120_000, 'nine refused calls');
  const view = await handle.query<SessionView>('state');
  expect(view).toMatchObject({ runs: 1, lastError: 'ProviderRateLimited', windowsPending: 1 });
  expect(view.consumed).toBeLessThan(12);
});
