import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { scheduleSchema } from '../../../contract/jobs.ts';
import { dataOf } from '../../../contract/shared.ts';
import { checkSchema, statsSchema } from '../../../contract/operations.ts';
import { createProgram } from '../../../cli/program.ts';
import { newId } from '../../../domain/ids.ts';
import { recordOutput } from '../../cli/support/output.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import type { TestUser } from '../../setup/database.ts';
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import { scraped } from '../../setup/scraped.ts';
import { until } from '../../setup/until.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, inTime } from '../support/answers.ts';

const PATIENCE_MS = 120_000;
const dataDir = longLivedFolder();
let other: TestUser;

const instance = fileInstance({}, SCHEDULE_NAMES);

beforeAll(async () => {
  other = await instance.stranger({ role: 'admin' });
  await instance.startWorker();
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(
    path.join(dataDir, 'credentials.json'),
    JSON.stringify({ url: instance.url, api_key: instance.admin.key }),
  );
  await instance.post('/learnings', { title: 'Noted', description: 'Noted by hand' });
  // A session of which nothing was ever captured, and which counts five prompts.
  await instance.write(
    `INSERT INTO sessions (id, tenant_id, user_id, host, external_id, status, phase, prompt_count, started_at, last_event_at)
     VALUES ($1, $2, $3, 'test', 'miscounted', 'ended', 'settled', 5, now(), now())`,
    [newId(), instance.admin.tenantId, instance.admin.userId],
  );
});

async function run(...args: string[]): Promise<{ code: number | undefined; text: string }> {
  const context = recordOutput({ HOME: '/nonexistent' });
  let code: number | undefined;
  await createProgram(context, (given) => {
    code = given;
  }).parseAsync([...args, '--data-dir', dataDir], { from: 'user' });
  return { code, text: context.text() };
}

const checkOf = async (id: string, key = instance.admin.key) =>
  checkSchema.parse((await instance.get(`/admin/consistency/checks/${id}`, key)).body);
const ended = (id: string) =>
  until(async () => {
    const now = await checkOf(id);
    return now.state === 'running' ? undefined : now;
  }, PATIENCE_MS);
/** Runs a schedule now and awaits the result. */
async function scheduled(name: string): Promise<unknown> {
  await inTime(() => instance.post(`/schedules/${name}/run`));
  return until(async () => {
    const { data } = dataOf(scheduleSchema).parse((await inTime(() => instance.get('/schedules'))).body);
    const [last] = data.find((one) => one.name === name)?.last_runs ?? [];
    return last === undefined || last.state === 'running' ? undefined : last.result;
  }, PATIENCE_MS);
}

test(
  'a consistency check is a job of the requesting tenant, and counts without repairing',
  { timeout: PATIENCE_MS },
  async () => {
    const answer = await instance.post('/admin/consistency', { repair: true, dry_run: true });
    expect(answer.status).toBe(202);
    const { id, job_id: jobId } = checkSchema.parse(answer.body);
    expect(jobId).toBe(`check.${id}`);
    const counted = await ended(id);
    expect(counted).toMatchObject({
      state: 'completed',
      repair: false,
      found: { wrong_count: 1 },
      repaired: {},
      remaining: 1,
    });
    expect((await instance.get(`/jobs/check.${id}`)).status).toBe(200);
    await scraped(instance, /^recollect_index_divergence\{kind="wrong_count"\} 1$/m);
    const { key } = other;
    expectError(await instance.get(`/admin/consistency/checks/${id}`, key), 'NOT_FOUND');
    expectError(await instance.get(`/jobs/check.${id}`, key), 'NOT_FOUND');
    const list = await instance.get('/admin/consistency/checks', key);
    expect(list.body).toEqual({ data: [] });
  },
);

test(
  'the command prints the differences, and exits with 1 unless it repairs them',
  { timeout: PATIENCE_MS },
  async () => {
    const seen = await run('consistency', 'check');
    expect(seen.code).toBe(1);
    expect(seen.text).toMatch(/compared\.\nKIND +FOUND +REPAIRED +REMAINING\nwrong_count +1 +0 +1\n/);
    const repaired = await run('consistency', 'check', '--repair');
    expect(repaired.code).toBe(0);
    expect(repaired.text).toMatch(/wrong_count +1 +1 +0\n/);
    expect(await run('consistency', 'check')).toMatchObject({
      code: 0,
      text: expect.stringContaining('No differences.\n'),
    });
    expect((await run('consistency', 'check', '--no-wait')).text).toMatch(/^check\.[0-9a-f-]{36} started\.\n$/);
  },
);

test('the schedule goes through all tenants, and each sees its own', { timeout: PATIENCE_MS }, async () => {
  const tenants = (await instance.rows('SELECT FROM tenants')).length;
  expect(await scheduled('consistency')).toMatchObject({ tenants, failed: 0, found: 0, repaired: 0 });
  const { body } = await instance.get('/admin/consistency/checks?limit=5', other.key);
  const { data } = dataOf(checkSchema).parse(body);
  expect(data).toMatchObject([{ job_id: null, state: 'completed', repair: true, found: {} }]);
  const before = await instance.get(`/admin/consistency/checks?before=${data[0]?.id ?? ''}`, other.key);
  expect(before.body).toEqual({ data: [] });
});

test('figures of a day are the same when they are taken twice', { timeout: PATIENCE_MS }, async () => {
  const rows = async () =>
    await instance.rows(
      "SELECT tenant_id, date::text, metric, dimensions, value FROM stats_snapshots WHERE metric NOT LIKE '%bytes' ORDER BY 1, 2, 3, 4",
    );
  expect((await run('stats')).text).toMatch(/^FIGURE +NOW\nlearnings current +1\n/);
  const result = await scheduled('statistics');
  const once = await rows();
  expect(result).toMatchObject({ tenants: 2 });
  expect(once.length).toBeGreaterThan(10);
  await instance.write("UPDATE stats_snapshots SET value = -1 WHERE metric = 'learnings'");
  await inTime(() => instance.post('/schedules/statistics/run'));
  await until(async () => ((await rows()).some((row) => row.value === -1) ? undefined : true), PATIENCE_MS);
  expect(await rows()).toEqual(once);
});

test('statistics are returned by day and now, those of the instance to its operators', async () => {
  const own = statsSchema.parse((await instance.get('/stats')).body);
  const learnings = { metric: 'learnings', dimensions: { state: 'current' }, value: 1 };
  expect(own.now).toContainEqual(learnings);
  expect(own.days).toHaveLength(1);
  expect(own.days[0]?.figures).toContainEqual(learnings);
  expect(own.days[0]?.figures.map(({ metric }) => metric)).not.toContain('database_bytes');
  const one = statsSchema.parse((await instance.get('/stats?metric=unfindable')).body);
  expect(one.days[0]?.figures).toEqual([{ metric: 'unfindable', dimensions: {}, value: 0 }]);
  const all = statsSchema.parse((await instance.get('/stats?scope=instance')).body);
  const tables = all.days[0]?.figures.filter(({ metric }) => metric === 'table_bytes') ?? [];
  expect(tables.map(({ dimensions }) => dimensions['table'])).toContain('observations');
  expect(all.days[0]?.figures).toContainEqual({ metric: 'tenants', dimensions: {}, value: 2 });
  const { key } = other;
  expectError(await instance.get('/stats?scope=instance', key), 'FORBIDDEN');
  const colleagueStats = statsSchema.parse((await instance.get('/stats', key)).body);
  expect(colleagueStats.now.every(({ value }) => value === 0)).toBe(true);
  expectError(await instance.get('/stats?days=0'), 'VALIDATION_FAILED', 'days');
  expect((await run('stats')).text).toMatch(
    /^FIGURE +\d{4}-\d\d-\d\d +\d{4}-\d\d-\d\d +NOW\n.*\nlearnings current +1 +1 +1\n/s,
  );
  expect((await run('stats', '--instance')).text).toContain('database_bytes ');
});
