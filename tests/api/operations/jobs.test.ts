import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TypedSearchAttributes } from '@temporalio/common';
import { jobsAnswer, jobSchema, scheduleSchema } from '../../../contract/jobs.ts';
import { dataOf } from '../../../contract/shared.ts';
import { newId } from '../../../domain/ids.ts';
import { ATTRIBUTES, workflowIdOf } from '../../../workflows/registry.ts';
import type { TestUser } from '../../setup/database.ts';
import { finished, sessionOf, settled } from '../../setup/demo-session.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf, inTime, waitedSummary } from '../support/answers.ts';
import { promptEvent } from '../support/events.ts';

const PATIENCE_MS = 120_000;
const instance = fileInstance();
let owner: TestUser;
let colleague: TestUser;
let viewer: TestUser;
let open: string;
let done: string;

const jobs = async (query = '', key?: string): Promise<z.output<typeof jobsAnswer>> =>
  bodyOf(jobsAnswer, await instance.get(`/jobs${query}`, key));

const one = async (id: string): Promise<z.output<typeof jobSchema>> =>
  z.object({ job: jobSchema }).parse((await instance.get(`/jobs/${id}`)).body).job;

async function setSession(id: string, change: string): Promise<void> {
  await instance.write(`UPDATE sessions SET ${change} WHERE id = $1`, [id]);
}

beforeAll(async () => {
  await instance.startWorker();
  owner = await instance.user();
  colleague = await instance.user();
  viewer = await instance.user({ role: 'viewer' });
  await captured(instance, smallSession('open', { remote: 'git@example.org:team/open.git' }).slice(0, 3), owner.key);
  await captured(instance, smallSession('completed'), owner.key);
  done = (await finished(instance, 'test:completed', PATIENCE_MS)).id;
  open = (await sessionOf(instance, 'test:open')).id;
});

describe('the list of jobs', { timeout: 240_000 }, () => {
  test('has the sessions, the index and the learnings of a tenant, and no ids of workflows of others', async () => {
    const { data, degraded } = await until(async () => {
      const listed = await jobs('?limit=100');
      return listed.data.some((entry) => entry.id === `learning.${done}`) ? listed : undefined;
    });
    expect(degraded).toEqual([]);
    const byId = new Map(data.map((entry) => [entry.id, entry]));
    expect(byId.get(`session.${open}`)).toMatchObject({
      kind: 'session',
      state: 'running',
      session: { external_id: 'open', project: 'open' },
    });
    expect(byId.get(`session.${done}`)).toMatchObject({
      state: 'completed',
      phase: 'settled',
      pending: { summarise: 0, learn: 0, embed: 0 },
    });
    expect(byId.get('index.0')).toMatchObject({ kind: 'index', session: null });
    expect(JSON.stringify(data)).not.toContain(instance.admin.tenantId);
  });

  test.each<[string, string[]]>([
    ['?kind=session&state=running', ['open']],
    ['?kind=session&state=completed', ['completed']],
    ['?kind=session&state=failed', []],
    ['?kind=session&state=waiting', []],
    ['?state=stuck', []],
    ['?kind=session&project=open', ['open']],
    ['?project=unknown', []],
    ['?kind=import', []],
  ])('is filtered: %s', async (query, externals) => {
    const { data } = await jobs(query);
    expect(data.map((entry) => entry.session?.external_id)).toEqual(externals);
  });

  test('is filtered: ?kind=operation, for those who run the instance; what a schedule started is none of a session', async () => {
    const { data } = await jobs('?kind=operation');
    expect(data.filter((entry) => entry.kind !== 'operation' || entry.session !== null)).toEqual([]);
    const stranger = await instance.stranger();
    expect((await jobs('?kind=operation', stranger.key)).data).toEqual([]);
  });

  test('is paged by a cursor', async () => {
    const first = await jobs('?kind=session&limit=1');
    expect(first.data).toHaveLength(1);
    const second = await jobs(`?kind=session&limit=1&cursor=${first.pagination.next_cursor ?? ''}`);
    expect(new Set([...first.data, ...second.data].map((entry) => entry.session?.external_id))).toEqual(
      new Set(['open', 'completed']),
    );
  });

  test('an import is a job of the tenant that its search attribute names, for its user and admins to cancel', async () => {
    const importId = newId();
    await instance.write(
      "INSERT INTO imports (id, tenant_id, user_id, kind, options) VALUES ($1, $2, $3, 'transcripts', $4)",
      [importId, instance.admin.tenantId, owner.userId, { directory: '/src', follow: false }],
    );
    const handle = await instance.temporal.workflow.start('session', {
      workflowId: workflowIdOf('import', importId),
      taskQueue: 'unserved-queue',
      typedSearchAttributes: new TypedSearchAttributes([{ key: ATTRIBUTES.tenant, value: instance.admin.tenantId }]),
    });
    const stranger = await instance.stranger({ role: 'admin' });
    const job = `import.${importId}`;
    expect((await one(job)).state).toBe('running');
    for (const [method, path] of [
      ['GET', `/jobs/${job}`],
      ['POST', `/jobs/${job}/cancel`],
    ] as const)
      expectError(await instance.call(method, path, { key: stranger.key }), 'NOT_FOUND');
    expect((await jobs('?kind=import', stranger.key)).data).toEqual([]);
    await untilTrue(async () => (await jobs('?kind=import')).data.length === 1);
    for (const what of ['cancel', 'retry'])
      expectError(await instance.post(`/jobs/${job}/${what}`, undefined, colleague.key), 'FORBIDDEN');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    expect((await instance.post(`/jobs/${job}/cancel`, undefined, owner.key)).status).toBe(202);
    await handle.terminate();
  });

  test('of another tenant is another list, and his jobs are not there', async () => {
    const stranger = await instance.stranger({ role: 'admin' });
    expect((await jobs('', stranger.key)).data).toEqual([]);
    for (const [method, path] of [
      ['GET', `/jobs/session.${open}`],
      ['POST', `/jobs/session.${open}/cancel`],
      ['POST', `/jobs/session.${open}/retry`],
      ['POST', `/sessions/${open}/close`],
      ['POST', `/sessions/${open}/summaries`],
    ] as const)
      expectError(await instance.call(method, path, { key: stranger.key }), 'NOT_FOUND');
    expectError(await instance.put(`/sessions/${open}`, { capture: false }, stranger.key), 'NOT_FOUND');
    for (const id of [
      'session.x',
      'ops.capture-sweep',
      'odd',
      `session.${instance.admin.tenantId}`,
      `session%2F${open}`,
    ])
      expectError(await instance.get(`/jobs/${id}`), 'NOT_FOUND');
  });
});

describe('what is stuck is reported with the reason', { timeout: 240_000 }, () => {
  // The sweep of each minute would repair what the tests change.
  beforeAll(async () => {
    await inTime(() => instance.post('/schedules/capture-sweep/pause', { reason: 'test' }));
    await untilTrue(async () => {
      const { data } = bodyOf(dataOf(scheduleSchema), await inTime(() => instance.get('/schedules')));
      const sweep = data.find(({ name }) => name === 'capture-sweep');
      return sweep?.state === 'paused' && sweep.last_runs.every(({ state }) => state !== 'running');
    });
  });
  afterAll(async () => {
    await inTime(() => instance.post('/schedules/capture-sweep/resume'));
  });

  test('events that stayed unconsumed for two runs of the sweep', async () => {
    await setSession(open, "consumed_seq = 0, windowed_seq = 0, last_event_at = now() - interval '10 minutes'");
    const { data } = await jobs('?state=stuck');
    expect(data.map((entry) => [entry.id, entry.state, entry.stuck?.reason])).toEqual([
      [`session.${open}`, 'stuck', 'events_unconsumed'],
    ]);
    expect(data[0]?.stuck?.why).toBe('Captures have waited for 10 minutes and no worker has consumed them.');
    expect((await one(`session.${open}`)).stuck?.reason).toBe('events_unconsumed');
    await setSession(open, 'consumed_seq = last_seq, last_event_at = now()');
    expect((await jobs('?state=stuck')).data).toEqual([]);
  });

  test(
    'parked windows and rejected chunks, which retry gives another turn',
    async () => {
      await instance.write(
        "UPDATE windows SET state = 'parked', attempts = 3, error = 'ModelRefused: no' WHERE session_id = $1",
        [done],
      );
      expect((await jobs('?state=stuck')).data[0]).toMatchObject({
        id: `session.${done}`,
        stuck: {
          reason: 'windows_parked',
          why: 'One window was parked (ModelRefused): the model returned no usable summary.',
        },
        last_error: 'ModelRefused',
        attempts: 3,
      });
      await instance.write("DELETE FROM summaries WHERE session_id = $1 AND type <> 'session'", [done]);
      expect((await inTime(() => instance.post(`/jobs/session.${done}/retry`))).status).toBe(202);
      await untilTrue(async () => (await sessionOf(instance, done)).counts.summaries > 1, PATIENCE_MS, 'the summary');
      await settled(instance, 'test:completed', PATIENCE_MS);

      await instance.write(
        "UPDATE embeddings SET state = 'failed', failed_at = now() WHERE session_id = $1 AND resource_type = 'prompt'",
        [done],
      );
      expect((await jobs('?state=stuck')).data[0]?.stuck?.reason).toBe('vectors_failed');
      expect((await inTime(() => instance.post(`/jobs/session.${done}/retry`))).status).toBe(202);
      await untilTrue(async () => (await jobs('?state=stuck')).data.length === 0, PATIENCE_MS, 'the vectors');
      await settled(instance, 'test:completed', PATIENCE_MS);
    },
    PATIENCE_MS * 3,
  );

  test('work without progress, and a session that should be over', async () => {
    await setSession(open, "updated_at = now() - interval '2 hours', last_event_at = now() - interval '2 hours'");
    expect((await jobs('?state=stuck')).data[0]?.stuck).toMatchObject({ reason: 'not_ended' });
    await instance.write(
      "INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason) VALUES ($1, 0, $2, 1, 1, 1, 'turn')",
      [open, instance.admin.tenantId],
    );
    expect((await jobs('?state=stuck')).data[0]?.stuck).toMatchObject({
      reason: 'no_progress',
      why: 'Work is pending, and nothing has changed for 2 hours.',
    });
    await instance.write('DELETE FROM windows WHERE session_id = $1', [open]);
    const learning = "learned_seq = 0, updated_at = now() - interval '20 minutes', last_event_at = now()";
    await setSession(open, learning);
    expect((await jobs('?state=stuck')).data).toEqual([]);
    await setSession(open, "phase = 'closing'");
    expect((await jobs('?state=stuck')).data[0]?.stuck?.reason).toBe('no_progress');
    await setSession(open, "waiting_reason = 'ProviderOverloaded'");
    expect((await jobs('?state=stuck')).data).toEqual([]);
    await setSession(open, "phase = 'active', waiting_reason = NULL");
    await setSession(open, 'updated_at = now(), last_event_at = now()');
  });
});

describe('steering', { timeout: PATIENCE_MS * 2 }, () => {
  const order = z.looseObject({ done: z.boolean(), settled: z.boolean(), summary_id: z.string().nullable() });

  test('capture off takes effect with the response, and on again', async () => {
    const say = (content: string) => instance.post('/events', promptEvent('open', content), owner.key);
    expect((await instance.put(`/sessions/${open}`, { capture: false, title: 'My own title' })).body).toMatchObject({
      capture: false,
      title: 'My own title',
    });
    expectError(await say('not for the record'), 'CAPTURE_DISABLED');
    expect((await instance.put(`/sessions/${open}`, { capture: true })).body).toMatchObject({ capture: true });
    expect((await say('for the record')).status).toBe(202);
    expectError(await instance.put(`/sessions/${open}`, { title: '' }), 'VALIDATION_FAILED', 'title');
    expectError(await instance.put(`/sessions/${open}`, { owner: 'me' }), 'VALIDATION_FAILED');
  });

  test.each(['colleague', 'viewer'])('only the owner and admins steer: a %s may not', async (who) => {
    const { key } = who === 'viewer' ? viewer : colleague;
    expectError(await instance.post(`/sessions/${open}/close`, undefined, key), 'FORBIDDEN');
    for (const what of ['cancel', 'retry'])
      for (const job of [`session.${open}`, `learning.${done}`])
        expectError(await instance.post(`/jobs/${job}/${what}`, undefined, key), 'FORBIDDEN');
    expect((await one(`session.${open}`)).state).toBe('running');
  });

  test('the index has no owner: all may retry it, and only an admin cancels it', async () => {
    expect((await instance.post('/jobs/index.0/retry', undefined, colleague.key)).status).toBe(202);
    expectError(await instance.post('/jobs/index.0/cancel', undefined, colleague.key), 'FORBIDDEN');
  });

  test('a summary now returns the job, or is waited for; the session continues under its own title', async () => {
    const now = await inTime(() => instance.post(`/sessions/${open}/summaries`));
    expect(now.status).toBe(202);
    expect(order.parse(now.body)).toMatchObject({ done: false, job: { id: `session.${open}` } });
    const waited = await waitedSummary(instance, open);
    expect([waited.status, order.parse(waited.body).summary_id]).toEqual([200, expect.any(String)]);
    expect(await sessionOf(instance, open)).toMatchObject({ status: 'active' });
    expect((await instance.get(`/sessions/${open}`)).body).toMatchObject({ title: 'My own title' });
    expectError(await instance.post(`/sessions/${open}/summaries?wait=61`), 'VALIDATION_FAILED', 'wait');
  });

  test('by the owner: cancel ends the workflow and capture continues; retry starts it again; close settles the session', async () => {
    const ordered = async (path: string) => (await inTime(() => instance.post(path, undefined, owner.key))).status;
    expect(await ordered(`/jobs/learning.${done}/retry`)).toBe(202);
    expect(await ordered(`/jobs/session.${open}/cancel`)).toBe(202);
    const handle = instance.temporal.workflow.getHandle(workflowIdOf('session', instance.admin.tenantId, open));
    await untilTrue(async () => (await handle.describe()).status.name !== 'RUNNING', PATIENCE_MS, 'the end');
    await untilTrue(async () => (await one(`session.${open}`)).state === 'cancelled', PATIENCE_MS, 'cancelled');
    expect(await sessionOf(instance, open)).toMatchObject({ status: 'active', phase: 'cancelled' });
    expectError(await instance.post(`/jobs/session.${open}/cancel`), 'CONFLICT');
    expect(await ordered(`/jobs/session.${open}/retry`)).toBe(202);
    await untilTrue(async () => (await one(`session.${open}`)).state === 'running', PATIENCE_MS, 'the new run');
    await inTime(() => instance.post(`/sessions/${open}/close?wait=60`));
    expect(await settled(instance, open, PATIENCE_MS)).toMatchObject({ status: 'ended' });
  });
});
