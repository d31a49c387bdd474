import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { captureEvents } from '../../stores/postgres/capture.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';

const hooks = [
  {
    session_id: 'unheard',
    cwd: '/src/app',
    hook_event_name: 'UserPromptSubmit',
    prompt: 'We decided to keep times in UTC, because two servers disagreed.',
  },
  { session_id: 'unheard', cwd: '/src/app', hook_event_name: 'SessionEnd', reason: 'other' },
];
let deaf: TestInstance;

beforeAll(async () => {
  deaf = await startTestInstance();
});
afterAll(() => deaf.close());

test('captures whose hint was lost are found by the sweep', { timeout: 240_000 }, async () => {
  // Captured as the api does it, but nobody tells Temporal.
  const events = hooks.flatMap((hook) => {
    const event = translateHook(hook.hook_event_name, hook, `lost-${hook.hook_event_name}`);
    return event === null ? [] : [buildCaptureEvent(event, deaf.admin, new Date(Date.now() - 60_000))];
  });
  await captureEvents(deaf.db.database.pool, events);
  expect((await sessionOf(deaf, 'claude-code:unheard')).status).toBe('active');

  await deaf.startWorker();
  await deaf.temporal.schedule.getHandle('ops/capture-sweep').trigger();
  const session = await settled(deaf, 'claude-code:unheard');
  expect(session.counts).toMatchObject({ prompts: 1, windows_parked: 0 });
  expect(session.counts.summaries).toBeGreaterThan(0);
});

test(
  'a session without inference is captured and indexed, and no model is called for it',
  { timeout: 240_000 },
  async () => {
    const base = { type: 'observation', host: 'test', session_id: 'fast', infer: false, project: { name: 'fast' } };
    for (const text of ['the cache lives in redis', 'the queue is drained nightly'])
      await deaf.call('POST', '/events', { body: { ...base, text } });
    await deaf.call('POST', '/events', {
      body: { type: 'prompt', host: 'test', session_id: 'fast', content: 'we decided on redis because it is there' },
    });
    await deaf.call('POST', '/events', {
      body: { type: 'session.ended', host: 'test', session_id: 'fast', infer: false },
    });
    await settled(deaf, 'test:fast');
    const calls = await deaf.db.superuser.query(
      "SELECT 1 FROM usage_ledger u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = 'fast'",
    );
    expect(calls.rowCount).toBe(0);
    // Vectors are found a moment after they were written.
    const found = await until(async () => {
      const answer = await deaf.call('GET', '/search?q=where+does+the+cache+live&limit=1');
      return JSON.stringify(answer.body).includes('"content":"the cache lives in redis"') ? answer : undefined;
    });
    expect(found.body).toMatchObject({ data: [{ content: 'the cache lives in redis' }], degraded: [] });
  },
);
