import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_SCHEDULES } from '../../../config/schedule-settings.ts';
import { bootstrapTemporal } from '../../../infra/bootstrap/temporal.ts';
import { SCHEDULES } from '../../../stores/temporal/schedule-list.ts';
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import { createTestUser } from '../../setup/database.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { jobListAnswer } from '../support/jobs.ts';
import { errorOf } from '../support/answers.ts';

const PATIENCE_MS = 60_000;
const schedule = z.looseObject({
  name: z.string(),
  state: z.string(),
  pause_reason: z.string().nullable(),
  overlap: z.string(),
  catch_up_seconds: z.number(),
  next_runs: z.array(z.string()),
  last_runs: z.array(z.looseObject({ job_id: z.string(), state: z.string().nullable(), result: z.unknown() })),
});
let instance: TestInstance;

beforeAll(async () => {
  instance = await startTestInstance({}, SCHEDULE_NAMES);
}, PATIENCE_MS);
afterAll(() => instance.close());

const listed = async () => {
  const { body } = await instance.call('GET', '/schedules');
  return new Map(
    z
      .object({ data: z.array(schedule) })
      .parse(body)
      .data.map((entry) => [entry.name, entry]),
  );
};
const change = (name: string, what: string, body?: unknown): Promise<ApiAnswer> =>
  instance.call('POST', `/schedules/${name}/${what}`, body === undefined ? {} : { body });
const bootstrap = (settings: Partial<typeof DEFAULT_SCHEDULES> = {}) =>
  bootstrapTemporal({
    ...instance.config.temporal,
    schedules: { ...DEFAULT_SCHEDULES, sweepIntervalMs: 60_000, ...settings },
  });

test('are made with the policies that are written down, and show when they run next', async () => {
  const schedules = await listed();
  expect([...schedules.keys()].toSorted()).toEqual([...SCHEDULE_NAMES].toSorted());
  for (const name of SCHEDULE_NAMES) {
    const { overlap, catchUpSeconds } = SCHEDULES[name];
    expect(schedules.get(name)).toMatchObject({ state: 'active', overlap, catch_up_seconds: catchUpSeconds });
    const { policies, action } = await instance.temporal.schedule.getHandle(`ops/${name}`).describe();
    expect(policies.overlap).toBe(overlap.toUpperCase());
    expect(policies.catchupWindow).toBe(catchUpSeconds * 1_000);
    expect(action).toMatchObject({ workflowType: SCHEDULES[name].workflow, taskQueue: 'session' });
  }
  const timeOf = (name: string) => schedules.get(name)?.next_runs[0]?.slice(10);
  expect(timeOf('retention')).toBe('T02:10:00.000Z');
  expect(timeOf('consistency')).toBe('T05:30:00.000Z');
  expect(new Date(schedules.get('restore-drill')?.next_runs[0] ?? 0).getUTCDay()).toBe(0);
  expect(schedules.get('backup')?.next_runs[0]).toMatch(/T(?:00|06|12|18):50/);
});

test('many changes of one schedule at once are all taken', async () => {
  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, n) =>
      change('statistics', n % 2 === 0 ? 'pause' : 'resume', n % 2 === 0 ? { reason: 'busy' } : undefined),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect((await change('statistics', 'resume')).status).toBe(200);
});

test('a pause stays over a start, while changed settings take effect', async () => {
  expect((await change('retention', 'pause', { reason: 'looking at policies first' })).status).toBe(200);
  await bootstrap({ retentionAt: { hour: 7, minute: 5 }, backupEveryHours: 2 });
  const paused = await listed();
  expect(paused.get('retention')).toMatchObject({ state: 'paused', pause_reason: 'looking at policies first' });
  expect(paused.get('backup')?.next_runs.map((time) => Date.parse(time))).toHaveLength(3);
  const [first = 0, second = 0] = paused.get('backup')?.next_runs.map((time) => Date.parse(time)) ?? [];
  expect(second - first).toBe(2 * 3_600_000);
  expect((await change('retention', 'resume')).status).toBe(200);
  expect((await listed()).get('retention')?.next_runs[0]).toContain('T07:05');
});

test('the settings pause and resume what no admin has paused', async () => {
  await change('backup', 'pause', { reason: 'disk is being changed' });
  await bootstrap({ paused: ['statistics', 'backup'] });
  const paused = await listed();
  expect(paused.get('statistics')).toMatchObject({ state: 'paused', pause_reason: 'RECOLLECT_SCHEDULES_PAUSED' });
  expect(paused.get('backup')?.pause_reason).toBe('disk is being changed');
  await bootstrap();
  const after = await listed();
  expect(after.get('statistics')?.state).toBe('active');
  expect(after.get('backup')?.state).toBe('paused');
});

test('a run that is ordered shows what came of it, and is a job for operators alone', { timeout: 60_000 }, async () => {
  expect((await change('partitions', 'run')).status).toBe(202);
  // No worker serves the queue yet: the run is in progress, and a second one is rejected.
  await until(async () => ((await listed()).get('partitions')?.last_runs.length ?? 0) > 0 || undefined, PATIENCE_MS);
  expect(errorOf(await change('partitions', 'run')).code).toBe('CONFLICT');
  await instance.startWorker();
  const run = await until(async () => {
    const [last] = (await listed()).get('partitions')?.last_runs ?? [];
    return last?.state === 'completed' ? last : undefined;
  }, PATIENCE_MS);
  expect(run.result).toEqual({ created: expect.any(Number) });
  const jobs = await until(async () => {
    const { body } = await instance.call('GET', '/jobs?kind=operation&state=completed');
    const { data } = jobListAnswer.parse(body);
    return data.some(({ id }) => id === run.job_id) ? data : undefined;
  }, PATIENCE_MS);
  expect(jobs[0]).toMatchObject({ kind: 'operation', state: 'completed', session: null });
  expect((await instance.call('GET', `/jobs/${run.job_id}`)).status).toBe(200);
  const { key } = await createTestUser(instance.db.superuser, { role: 'admin' });
  expect(jobListAnswer.parse((await instance.call('GET', '/jobs?kind=operation', { key })).body).data).toEqual([]);
  expect(errorOf(await instance.call('GET', `/jobs/${run.job_id}`, { key })).code).toBe('NOT_FOUND');
  expect(errorOf(await instance.call('POST', `/jobs/${run.job_id}/cancel`, { key })).code).toBe('NOT_FOUND');
  expect(errorOf(await instance.call('GET', '/schedules', { key })).code).toBe('FORBIDDEN');
});

test('names and reasons are checked, and a schedule that does not exist yet is reported', async () => {
  expect(errorOf(await change('odd', 'resume'))).toEqual({ code: 'VALIDATION_FAILED', fields: ['name'] });
  expect(errorOf(await change('backup', 'pause', {}))).toEqual({ code: 'VALIDATION_FAILED', fields: ['reason'] });
  await instance.temporal.schedule.getHandle('ops/restore-drill').delete();
  expect((await listed()).get('restore-drill')?.state).toBe('missing');
  for (const what of ['resume', 'run']) expect(errorOf(await change('restore-drill', what)).code).toBe('NOT_FOUND');
});
