import { randomUUID } from 'node:crypto';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMaintenanceActivities } from '../../../activities/maintenance/create-maintenance-activities.ts';
import { parseConfig } from '../../../config/config.ts';
import type { WorkflowHints } from '../../../domain/ports/workflow-hints.ts';
import { sessionsToHint } from '../../../stores/postgres/connection/maintenance.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { workflowIdOf } from '../../../workflows/registry.ts';
import { measureMachine } from '../../../telemetry/process-metrics.ts';
import { fileDatabase } from '../../setup/database.ts';
import { testEnvironment } from '../../setup/instance.ts';
import { seedTenant } from '../../stores/postgres/support/seed-tenant.ts';

const db = fileDatabase();
let maintenance: pg.Pool;
let vectors: ReturnType<typeof createWeaviateIndex>;
let hinted: string[];
let started: unknown[][];
/** The only workflow that runs. */
let running: string | null = null;

beforeAll(async () => {
  maintenance = new pg.Pool({ connectionString: db.url('maintenance'), max: 2 });
  vectors = createWeaviateIndex(parseConfig(testEnvironment(db, 'none')).weaviate);
  const { tenantId } = await seedTenant(db);
  // Something to do for every stage.
  const old = "now() - interval '2 days'";
  await db.write(`UPDATE sessions SET last_event_at = ${old} WHERE tenant_id = $1`, [tenantId]);
  await db.write(`UPDATE embeddings SET created_at = ${old} WHERE tenant_id = $1`, [tenantId]);
  await db.write(`UPDATE model_batches SET updated_at = ${old} WHERE tenant_id = $1`, [tenantId]);
});
beforeEach(async () => {
  hinted = [];
  started = [];
  await db.write("UPDATE embeddings SET state = 'failed', failed_at = now() - interval '2 days'");
  await db.write('UPDATE sessions SET hinted_at = NULL');
});
afterAll(async () => {
  await vectors.close();
  await maintenance.end();
});

/** One sweep, whose hints are as usual but for these. */
function sweep(environment: MockActivityEnvironment, changes: Partial<WorkflowHints> = {}) {
  const record = (name: string) => async () => {
    hinted.push(name);
  };
  const hints = {
    session: record('session'),
    index: record('index'),
    reindex: record('reindex'),
    modelBatch: record('batch'),
  };
  const activities = createMaintenanceActivities({
    auditDays: 400,
    measure: measureMachine,
    database: db.database,
    maintenance,
    hints: { ...hints, ...changes },
    startJob: async (name, tenantId, subject, input) => {
      started.push([name, tenantId, subject, input]);
    },
    workflows: { isRunning: async (workflowId) => workflowId === running },
    vectors,
    indexName: 'another',
    cacheEntries: 0,
    idleMs: 60_000,
  });
  return environment.run(() => activities.sweepCaptures());
}

/** An activity environment that logs errors only. */
const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

async function failedVectors(): Promise<number | null> {
  return (await db.rows("SELECT 1 FROM embeddings WHERE state = 'failed'")).length;
}

test('resends lost hints and heartbeats', async () => {
  const environment = quiet();
  let beats = 0;
  environment.on('heartbeat', () => {
    beats += 1;
  });
  expect(await sweep(environment)).toEqual({ sessions: 1, tenants: 1 });
  expect(hinted).toEqual(['session', 'index', 'reindex', 'batch']);
  expect(await failedVectors()).toBe(0);
  expect(beats).toBeGreaterThan(0);
});

test('starts the workflows of jobs that could not be started', async () => {
  const { tenantId, userId } = await db.createUser();
  await db.write("UPDATE exports SET state = 'failed'");
  await db.write("UPDATE imports SET state = 'failed'");
  await db.write("UPDATE retention_runs SET state = 'failed'");
  await db.write("UPDATE restores SET state = 'failed'");
  const [erasure, young, exported, file, retention, drill, check] = Array.from({ length: 7 }, () => randomUUID());
  await db.write(
    "INSERT INTO erasures (id, tenant_id, kind, search_text, created_at) VALUES ($1, $3, 'text', 'a text', now() - interval '2 minutes'), ($2, $3, 'text', 'another', now())",
    [erasure, young, tenantId],
  );
  await db.write(
    "INSERT INTO exports (id, tenant_id, user_id, scope, object_key, expires_at, created_at) VALUES ($1, $2, $3, 'tenant', 'exports/a', now() + interval '1 day', now() - interval '3 minutes')",
    [exported, tenantId, userId],
  );
  await db.write(
    "INSERT INTO imports (id, tenant_id, user_id, kind, created_at) VALUES ($1, $2, $3, 'file', now() - interval '4 minutes')",
    [file, tenantId, userId],
  );
  await db.write(
    "INSERT INTO retention_runs (id, group_id, tenant_id, mode, policy_hash, user_id, reference_time, created_at) VALUES ($1, $1, $2, 'dry_run', sha256('a'), $3, now(), now() - interval '5 minutes')",
    [retention, tenantId, userId],
  );
  await db.write('UPDATE tenants SET is_operator = false');
  await db.write('UPDATE tenants SET is_operator = true WHERE id = $1', [tenantId]);
  await db.write(
    "INSERT INTO restores (id, kind, requested_by, created_at) VALUES ($1, 'drill', $2, now() - interval '6 minutes')",
    [drill, userId],
  );
  await db.write(
    "INSERT INTO consistency_checks (id, tenant_id, user_id, repair, created_at) VALUES ($1, $2, $3, true, now() - interval '7 minutes')",
    [check, tenantId, userId],
  );
  await sweep(quiet());
  expect(started).toEqual([
    ['consistencyRun', tenantId, check, { tenantId, checkId: check, repair: true }],
    ['restoreDrill', tenantId, drill, { restoreId: drill }],
    ['retentionRun', tenantId, retention, { runId: retention }],
    ['fileImport', tenantId, file, { tenantId, jobId: file }],
    ['exportRun', tenantId, exported, { tenantId, jobId: exported }],
    ['erasureRun', tenantId, erasure, { tenantId, erasureId: erasure }],
  ]);
});

test('ends a restore that could not be started, and none that runs, did a step or was just requested', async () => {
  await db.write("UPDATE restores SET state = 'failed'");
  const id = randomUUID();
  const rowOf = async () => (await db.rows('SELECT state, error FROM restores WHERE id = $1', [id]))[0];
  await db.write("INSERT INTO restores (id, kind) VALUES ($1, 'restore')", [id]);
  await sweep(quiet());
  expect(await rowOf()).toMatchObject({ state: 'running' });
  await db.write("UPDATE restores SET created_at = now() - interval '2 minutes' WHERE id = $1", [id]);
  running = workflowIdOf('restore', id);
  await sweep(quiet());
  expect(await rowOf()).toMatchObject({ state: 'running' });
  running = null;
  await db.write("UPDATE restores SET phase = 'swapping' WHERE id = $1", [id]);
  await sweep(quiet());
  expect(await rowOf()).toMatchObject({ state: 'running' });
  await db.write("UPDATE restores SET phase = 'checking' WHERE id = $1", [id]);
  await sweep(quiet());
  expect(await rowOf()).toMatchObject({ state: 'failed', error: 'Interrupted' });
});

test('stores a sample of the instance', async () => {
  await db.superuser.query('TRUNCATE instance_samples');
  await sweep(quiet());
  expect(await db.count("instance_samples WHERE source = 'worker'")).toBe(1);
});

test('deletes expired log-ins and authorizations, which do not wait for the day to end', async () => {
  await db.superuser.query(
    "INSERT INTO auth_challenges (challenge_sha256, kind, data, expires_at) SELECT sha256(n::text::bytea), 'oidc', '{}', now() + n * interval '1 s' FROM unnest('{-1, 60}'::int[]) AS n",
  );
  await db.superuser.query(
    "INSERT INTO oauth_payloads (model, id_sha256, payload, expires_at) VALUES ('Interaction', sha256('x'), '{}', now() - interval '1 s')",
  );
  await sweep(quiet());
  const left = await db.superuser.query(
    'SELECT expires_at > now() AS lasts FROM auth_challenges UNION SELECT expires_at > now() FROM oauth_payloads',
  );
  expect(left.rows).toEqual([{ lasts: true }]);
});

test('a session whose hints fail does not block others and is retried', async () => {
  const refuse = () => Promise.reject(new Error('too many signals'));
  await expect(sweep(quiet(), { session: refuse })).rejects.toThrow('too many signals');
  expect(hinted).toEqual(['index', 'reindex', 'batch']);
  expect(await failedVectors()).toBe(0);
});

test('a hint that is not consumed yet is not sent again before a quarter of an hour', async () => {
  await sweep(quiet());
  expect(hinted).toContain('session');
  hinted = [];
  expect(await sweep(quiet())).toMatchObject({ sessions: 0 });
  expect(hinted).not.toContain('session');
  await db.write("UPDATE sessions SET hinted_at = now() - interval '16 minutes'");
  expect(await sweep(quiet())).toMatchObject({ sessions: 1 });
});

test('a hint that failed is sent again by the next sweep', async () => {
  const refuse = () => Promise.reject(new Error('too many signals'));
  await expect(sweep(quiet(), { session: refuse })).rejects.toThrow('too many signals');
  expect(await sweep(quiet())).toMatchObject({ sessions: 1 });
});

test('a hint of a sweep that was killed is sent again a minute later', async () => {
  const times = { graceMs: 0, overdueMs: 0, repeatMs: 15 * 60_000 };
  expect(await sessionsToHint(maintenance, times, 10)).toHaveLength(1);
  expect(await sweep(quiet())).toMatchObject({ sessions: 0 });
  await db.write("UPDATE sessions SET hinted_at = hinted_at - interval '1 minute'");
  expect(await sweep(quiet())).toMatchObject({ sessions: 1 });
});

test('a hint that is consumed while others are sent counts as consumed', async () => {
  const session = async () => {
    await db.write('UPDATE sessions SET hinted_at = NULL');
  };
  await sweep(quiet(), { session });
  expect((await db.rows('SELECT 1 FROM sessions WHERE hinted_at IS NOT NULL')).length).toBe(0);
});

test('does not wait for a session that is being captured', async () => {
  const capture = await db.maintenance.connect();
  try {
    await capture.query('BEGIN');
    await capture.query('SELECT 1 FROM sessions FOR NO KEY UPDATE');
    expect(await sweep(quiet())).toMatchObject({ sessions: 0 });
  } finally {
    await capture.query('ROLLBACK');
    capture.release();
  }
  expect(await sweep(quiet())).toMatchObject({ sessions: 1 });
});

test('throws the first of several failures', async () => {
  const refuse = (reason: string) => () => Promise.reject(new Error(reason));
  await expect(sweep(quiet(), { index: refuse('the first'), reindex: refuse('another') })).rejects.toThrow('the first');
  expect(hinted).toEqual(['session', 'batch']);
});

test('a timed-out attempt stops, so that it does not overlap the next one', async () => {
  const environment = quiet();
  const session = async () => {
    environment.cancel('TIMED_OUT');
  };
  await expect(sweep(environment, { session })).rejects.toBeInstanceOf(CancelledFailure);
  expect(hinted).toEqual([]);
  expect(await failedVectors()).toBeGreaterThan(0);
});
