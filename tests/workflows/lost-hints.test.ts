import { once } from 'node:events';
import { expect, test } from 'vitest';
import { buildCaptureEvent } from '../../domain/capture/build-event.ts';
import { translateHook } from '../../domain/capture/claude-code-hooks.ts';
import { newId } from '../../domain/ids.ts';
import { withBackupLock } from '../../activities/backup/snapshot.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import { MAINTENANCE_SLOTS } from '../../workers/pools.ts';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import { until } from '../setup/until.ts';

/** More than the worker does at once. */
const LONG_JOBS = MAINTENANCE_SLOTS + 2;
const deaf = fileInstance();

/** Captures a session as the API does, but without a hint to Temporal. */
async function captureUnheard(session: string): Promise<void> {
  const hooks = [
    {
      session_id: session,
      cwd: '/src/app',
      hook_event_name: 'UserPromptSubmit',
      prompt: 'We decided to keep times in UTC, because two servers disagreed.',
    },
    { session_id: session, cwd: '/src/app', hook_event_name: 'SessionEnd', reason: 'other' },
  ];
  const events = hooks.flatMap((hook) => {
    const event = translateHook(hook.hook_event_name, hook, `${session}-${hook.hook_event_name}`);
    return event === null ? [] : [buildCaptureEvent(event, deaf.admin, new Date(Date.now() - 60_000))];
  });
  await captureEvents(deaf.db.database.pool, events);
  expect((await sessionOf(deaf, `claude-code:${session}`)).status).toBe('active');
}

test('captures whose hint was lost are found by the sweep', { timeout: 240_000 }, async () => {
  await captureUnheard('unheard');

  await deaf.startWorker();
  await deaf.temporal.schedule.getHandle('ops/capture-sweep').trigger();
  const session = await settled(deaf, 'claude-code:unheard');
  expect(session.counts).toMatchObject({ prompts: 1, windows_parked: 0 });
  expect(session.counts.summaries).toBeGreaterThan(0);
});

test('the sweep waits for no long job, however many there are', { timeout: 240_000 }, async () => {
  const done = new AbortController();
  const url = deaf.db.url('maintenance');
  const taken = Promise.withResolvers<void>();
  // Backups wait for each other: while their lock is taken, each started backup occupies a slot of the worker.
  const holding = withBackupLock(url, 60_000, done.signal, () => {
    taken.resolve();
    return once(done.signal, 'abort');
  });
  await Promise.race([taken.promise, holding]);
  const backups = await Promise.all(
    Array.from({ length: LONG_JOBS }, () => {
      const backupId = newId();
      const options = { workflowId: workflowIdOf('backup', backupId), taskQueue: QUEUES.session, args: [{ backupId }] };
      return deaf.temporal.workflow.start('backupRun', options);
    }),
  );
  try {
    await until(async () => {
      const rows = await deaf.rows(
        "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND application_name = 'recollect-backup'",
        [deaf.db.name],
      );
      // One of them is the lock's.
      return rows.length > MAINTENANCE_SLOTS ? true : undefined;
    });
    await captureUnheard('crowded');
    await deaf.temporal.schedule.getHandle('ops/capture-sweep').trigger();
    await settled(deaf, 'claude-code:crowded');
    const options = { workflowId: 'ops/partitions/by-hand', taskQueue: QUEUES.session };
    expect(await deaf.temporal.workflow.execute('partitions', options)).toEqual({ created: expect.any(Number) });
  } finally {
    for (const backup of backups) await backup.terminate('no longer needed');
    done.abort();
    await holding;
  }
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
    const { id } = await settled(deaf, 'test:fast');
    const handle = deaf.temporal.workflow.getHandle(workflowIdOf('session', deaf.admin.tenantId, id));
    const { events = [] } = await handle.fetchHistory();
    const steps = events?.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
    expect(steps).not.toContain('summariseSession');
    expect(events?.some((event) => event.startChildWorkflowExecutionInitiatedEventAttributes)).toBe(false);
    const calls = await deaf.rows(
      "SELECT 1 FROM usage_ledger u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = 'fast'",
    );
    expect(calls.length).toBe(0);
    // Vectors are found a moment after they were written, and a search without them is degraded: a busy machine may be late with the vector of the query.
    const found = await until(async () => {
      const { body } = await deaf.call('GET', '/search?q=where+does+the+cache+live&limit=1');
      const isComplete = JSON.stringify(body).includes('"degraded":[]');
      return isComplete && JSON.stringify(body).includes('"content":"the cache lives in redis"') ? { body } : undefined;
    });
    expect(found.body).toMatchObject({ data: [{ content: 'the cache lives in redis' }], degraded: [] });
  },
);
