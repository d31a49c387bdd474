import { expect, test } from 'vitest';
import { dataOf } from '../../../contract/shared.ts';
import { jobsAnswer, scheduleSchema } from '../../../contract/jobs.ts';
import { DEFAULT_SCHEDULES } from '../../../config/schedule-settings.ts';
import type { ScheduleTimes } from '../../../infra/bootstrap/schedules.ts';
import { bootstrapTemporal } from '../../../infra/bootstrap/temporal.ts';
import { SCHEDULES } from '../../../workflows/registry.ts';
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import type { ScheduleName } from '../../../domain/jobs.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { bodyOf, expectError, inTime } from '../support/answers.ts';

const PATIENCE_MS = 120_000;
const instance = fileInstance({}, SCHEDULE_NAMES);

const listed = async () => {
  const { data } = bodyOf(dataOf(scheduleSchema), await inTime(() => instance.get('/schedules')));
  return new Map(data.map((entry) => [entry.name, entry]));
};
/** Schedules by name, to poll: the server's scheduler reads a change a moment later. */
const byName = async () => Object.fromEntries(await listed());
const change = (name: string, what: string, body?: unknown): Promise<ApiAnswer> =>
  instance.post(`/schedules/${name}/${what}`, body);
const bootstrap = (settings: Partial<ScheduleTimes> = {}) =>
  bootstrapTemporal({
    ...instance.config.temporal,
    schedules: { ...DEFAULT_SCHEDULES, sweepIntervalMs: 60_000, readsTranscripts: true, ...settings },
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
  const timeOf = (name: ScheduleName) => schedules.get(name)?.next_runs[0]?.slice(10);
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
  const retention = { state: 'paused', pause_reason: 'looking at policies first' };
  expect((await change('retention', 'pause', { reason: retention.pause_reason })).status).toBe(200);
  await expect.poll(byName).toMatchObject({ retention });
  await bootstrap({ retentionAt: { hour: 7, minute: 5 }, backupEveryHours: 2 });
  const pausesOfBackup = async () => {
    const times = (await listed()).get('backup')?.next_runs.map((time) => Date.parse(time)) ?? [];
    return times.slice(1).map((time, n) => time - (times[n] ?? 0));
  };
  await expect.poll(pausesOfBackup).toEqual([2 * 3_600_000, 2 * 3_600_000]);
  await expect.poll(byName).toMatchObject({ retention });
  expect((await change('retention', 'resume')).status).toBe(200);
  await expect.poll(async () => (await listed()).get('retention')?.next_runs[0]).toContain('T07:05');
});

test('the settings pause and resume what no admin has paused', async () => {
  const backup = { state: 'paused', pause_reason: 'disk is being changed' };
  await change('backup', 'pause', { reason: backup.pause_reason });
  await expect.poll(byName).toMatchObject({ backup });
  await bootstrap({ paused: ['statistics', 'backup'] });
  await expect
    .poll(byName)
    .toMatchObject({ statistics: { state: 'paused', pause_reason: 'RECOLLECT_SCHEDULES_PAUSED' }, backup });
  await bootstrap();
  await expect.poll(byName).toMatchObject({ statistics: { state: 'active' }, backup });
});

test('a run that is ordered shows what came of it, and is a job for operators alone', async () => {
  expect((await change('partitions', 'run')).status).toBe(202);
  // No worker serves the queue yet: the run is in progress, and a second one is rejected.
  await untilTrue(async () => ((await listed()).get('partitions')?.last_runs.length ?? 0) > 0, PATIENCE_MS);
  expectError(await change('partitions', 'run'), 'CONFLICT');
  await instance.startWorker();
  const run = await until(async () => {
    const [last] = (await listed()).get('partitions')?.last_runs ?? [];
    return last?.state === 'completed' ? last : undefined;
  }, PATIENCE_MS);
  expect(run.result).toEqual({ created: expect.any(Number) });
  const jobs = await until(async () => {
    const { body } = await instance.get('/jobs?kind=operation&state=completed');
    const { data } = jobsAnswer.parse(body);
    return data.some(({ id }) => id === run.job_id) ? data : undefined;
  }, PATIENCE_MS);
  expect(jobs[0]).toMatchObject({ kind: 'operation', state: 'completed', session: null });
  expect((await instance.get(`/jobs/${run.job_id}`)).status).toBe(200);
  const { key } = await instance.stranger({ role: 'admin' });
  expect(jobsAnswer.parse((await instance.get('/jobs?kind=operation', key)).body).data).toEqual([]);
  expectError(await instance.get(`/jobs/${run.job_id}`, key), 'NOT_FOUND');
  expectError(await instance.post(`/jobs/${run.job_id}/cancel`, undefined, key), 'NOT_FOUND');
  expectError(await instance.get('/schedules', key), 'FORBIDDEN');
});

test('names and reasons are checked, and a schedule that does not exist yet is reported', async () => {
  expectError(await change('odd', 'resume'), 'VALIDATION_FAILED', 'name');
  expectError(await change('backup', 'pause', {}), 'VALIDATION_FAILED', 'reason');
  await instance.temporal.schedule.getHandle('ops/restore-drill').delete();
  expect((await listed()).get('restore-drill')?.state).toBe('missing');
  for (const what of ['resume', 'run']) expectError(await change('restore-drill', what), 'NOT_FOUND');
});
