import { beforeAll, beforeEach, expect, test } from 'vitest';
import { instanceHistorySchema } from '../../../contract/operations.ts';
import { takeSample } from '../../../stores/postgres/statistics/instance-samples.ts';
import { measureMachine } from '../../../telemetry/process-metrics.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import type { TestUser } from '../../setup/database.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { expectError } from '../support/answers.ts';

const instance = fileInstance();
let stranger: TestUser;

const sample = () => takeSample(instance.db.maintenance, measureMachine, Date.now());
const history = async () => instanceHistorySchema.parse((await instance.get('/stats/history')).body).data;
/** Ages all samples by so many slots of five minutes. */
const age = (slots: number) =>
  instance.db.superuser.query(
    "UPDATE instance_samples SET slot = slot - $1 * interval '5 minutes', taken_at = taken_at - $1 * interval '5 minutes'",
    [slots],
  );
/** Awaits the row of the api process, which follows the notification. */
const withApi = () =>
  until(async () => (((await history()).at(-1)?.memory.api_bytes ?? null) === null ? undefined : true));

beforeAll(async () => {
  stranger = await instance.stranger({ role: 'admin' });
});
beforeEach(() => instance.db.superuser.query('TRUNCATE instance_samples'));

test('returns what the instance did since the earlier sample, with rates of the api', async () => {
  expect(await sample()).toBe(true);
  await withApi();
  const [first] = await history();
  expect(first).toMatchObject({ rates: null, usd_today: 0, backup_at: null, behind: { sessions: 0, rows: 0 } });
  expect(first?.memory.machine_used_bytes).toBeGreaterThan(first?.memory.worker_bytes ?? Infinity);
  await age(1);
  await captured(instance, smallSession('counted').slice(0, 3));
  await instance.db.maintenance.query(
    `INSERT INTO usage_ledger (id, tenant_id, operation, provider, model, input_tokens, output_tokens, tokens_cached, cost_usd, latency_ms)
     VALUES (uuidv7(), $1, 'embedding', 'p', 'm', 1, 0, 0, 0.25, 1)`,
    [instance.admin.tenantId],
  );
  await instance.db.maintenance.query(
    "INSERT INTO backups (id, state, workflow_id, snapshot_at, manifest_sha256) VALUES (uuidv7(), 'completed', 'job/backup/x', '2026-01-02T03:04:05Z', sha256('x'))",
  );
  expect(await sample()).toBe(true);
  await withApi();
  const [, second] = await history();
  expect(second).toMatchObject({
    usd_today: 0.25,
    backup_at: '2026-01-02T03:04:05.000Z',
    behind: { sessions: 1, rows: 3 },
  });
  // Three events in about five minutes.
  expect((second?.rates?.captures ?? 0) * 300).toBeCloseTo(3, 0);
  expect(second?.rates?.requests).toBeGreaterThan(0);
});

test('is taken once in five minutes, and deleted after a day', async () => {
  // Both samples are in the same five minutes.
  const isEarly = "SELECT now() < date_bin('5 minutes', now(), 'epoch') + interval '285 seconds' AS value";
  await untilTrue(async () => (await instance.value(isEarly)) === true);
  expect(await sample()).toBe(true);
  expect(await sample()).toBe(false);
  await age(287);
  expect(await sample()).toBe(true);
  expect(await history()).toHaveLength(2);
  await age(1);
  expect(await sample()).toBe(true);
  expect(await history()).toHaveLength(2);
  expect(await instance.count("instance_samples WHERE source = 'worker'")).toBe(2);
});

test('is for operators only, in the api and in the database', async () => {
  await sample();
  const colleague = await instance.user({ role: 'user' });
  for (const { key } of [stranger, colleague, await instance.user({ role: 'viewer', scopes: ['read'] })])
    expectError(await instance.get('/stats/history', key), 'FORBIDDEN');
  const { database } = instance.db;
  const text = 'SELECT source FROM instance_samples';
  const seen = (tenantId: TestUser['tenantId']) =>
    database.readAsTenant(tenantId, (read) => read({ name: 'samples', text, values: [] }));
  expect(await seen(stranger.tenantId)).toEqual([]);
  expect(await seen(instance.admin.tenantId)).toContainEqual({ source: 'worker' });
  const forged = "INSERT INTO instance_samples (slot, source, figures) VALUES (now(), 'worker', '{}')";
  await expect(database.pool.query(forged)).rejects.toMatchObject({ code: '42501' });
  for (const change of ['DELETE FROM instance_samples', "UPDATE instance_samples SET figures = '{}'"])
    await expect(database.pool.query(change)).rejects.toMatchObject({ code: '42501' });
});
