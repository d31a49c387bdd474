import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { v7 } from 'uuid';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createMaintenanceActivities } from '../../../../activities/maintenance/create-maintenance-activities.ts';
import type { VectorIndex } from '../../../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../../../domain/ports/workflow-hints.ts';
import { sweepOld } from '../../../../stores/postgres/retention/retention.ts';
import { drawRate } from '../../../../stores/postgres/access/rate-limits.ts';
import type { SweptTable } from '../../../../stores/postgres/retention/retention.ts';
import { measureMachine } from '../../../../telemetry/process-metrics.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { seedTenant } from '../support/seed-tenant.ts';

const TABLES: readonly SweptTable[] = [
  'contexts',
  'system_alerts',
  'imports',
  'tombstones',
  'excluded_sessions',
  'trace_marks',
  'project_glossaries',
  'usage_reservations',
  'rate_limits',
  'user_sessions',
  'auth_attempts',
  'signing_keys',
  'oauth_grants',
  'oauth_payloads',
  'auth_challenges',
  'model_response_cache',
];
const DAY_MS = 86_400_000;
const db = fileDatabase();
let maintenance: pg.Pool;
let user: TestUser;

beforeAll(async () => {
  maintenance = new pg.Pool({ connectionString: db.url('maintenance'), max: 2 });
});
beforeEach(async () => {
  await db.owner.query(`TRUNCATE ${TABLES.join(', ')} CASCADE`);
  user = await seedTenant(db);
  // What was seeded expired at once, but for what is counted in days.
  await db.write("UPDATE model_response_cache SET expires_at = now() + interval '1 day'");
  await db.write("UPDATE usage_reservations SET expires_at = now() + interval '1 day'");
});
afterAll(() => maintenance.end());

/** A copy of the tenant's row in that table, with another id and with these columns changed. */
async function copyOf(table: string, change: Readonly<Record<string, string>>): Promise<void> {
  await db.write(
    `INSERT INTO ${table} SELECT copy.* FROM (SELECT * FROM ${table} WHERE tenant_id = $1 LIMIT 1) AS row
      CROSS JOIN LATERAL jsonb_populate_record(NULL::${table}, to_jsonb(row) || $2::jsonb) AS copy`,
    [user.tenantId, JSON.stringify(change)],
  );
}

const idOfAge = (days: number): string => v7({ msecs: Date.now() - days * DAY_MS });
const hashOf = (text: string): string => `\\x${createHash('sha256').update(text).digest('hex')}`;
const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

async function remaining(): Promise<Record<string, number>> {
  const counts = await Promise.all(
    [...TABLES, 'memory_uses', 'model_response_bands'].map(async (table) => {
      const rows = await db.rows<{ n: number }>(`SELECT count(*)::integer AS n FROM ${table}`);
      return [table, rows[0]?.n ?? -1] as const;
    }),
  );
  return Object.fromEntries(counts);
}

async function attempted(bucket: string, at: string): Promise<void> {
  await db.write('INSERT INTO auth_attempts VALUES ($1, 1, $2, $2)', [bucket, at]);
}

async function signingKey(createdAt: string): Promise<void> {
  await db.write("INSERT INTO signing_keys VALUES ($1, 'p', 's', $2)", [randomUUID(), createdAt]);
}

async function oauthPayload(id: string, expiresAt: string): Promise<void> {
  await db.write("INSERT INTO oauth_payloads (model, id_sha256, payload, expires_at) VALUES ('Client', $1, '{}', $2)", [
    id,
    expiresAt,
  ]);
}

async function oldRows(): Promise<void> {
  const context = idOfAge(91);
  await copyOf('contexts', { id: context });
  await copyOf('memory_uses', { context_id: context, created_at: ago(80) });
  await copyOf('system_alerts', { id: idOfAge(91), day: ago(91).slice(0, 10) });
  await copyOf('imports', { id: idOfAge(181), state: 'completed' });
  await copyOf('tombstones', { key_sha256: hashOf('old'), created_at: ago(3_651) });
  await copyOf('excluded_sessions', { name_sha256: hashOf('old'), created_at: ago(401) });
  await copyOf('trace_marks', { seq: '1000', created_at: ago(7.1) });
  await copyOf('project_glossaries', { day: ago(8).slice(0, 10) });
  await copyOf('usage_reservations', { id: randomUUID(), expires_at: ago(0.001) });
  await drawRate(db.database.pool, 'ended', 1, { quota: 1, windowS: 0 });
  await copyOf('user_sessions', { id: randomUUID(), expires_at: ago(1.1) });
  await attempted('old', ago(1.1));
  await signingKey(ago(41));
  await copyOf('oauth_grants', { id: randomUUID(), ended_at: ago(91) });
  await oauthPayload('old', ago(0.001));
  await db.database.pool.query("SELECT start_auth_challenge(sha256('ended'), 'oidc', '{}', 0)");
  const answer = randomUUID();
  await copyOf('model_response_cache', { id: answer, prompt_version: answer, expires_at: ago(0.001) });
  await copyOf('model_response_bands', { response_id: answer });
}

async function youngRows(): Promise<void> {
  await copyOf('contexts', { id: idOfAge(89) });
  await copyOf('system_alerts', { id: idOfAge(89), day: ago(89).slice(0, 10) });
  await copyOf('imports', { id: idOfAge(181), state: 'running' });
  await copyOf('tombstones', { key_sha256: hashOf('young'), created_at: ago(3_649) });
  await copyOf('trace_marks', { seq: '1001', created_at: ago(6.9) });
  await copyOf('project_glossaries', { day: ago(7).slice(0, 10) });
  await drawRate(db.database.pool, 'running', 1, { quota: 1, windowS: 60 });
  await copyOf('user_sessions', { id: randomUUID(), ended_at: ago(0.9) });
  await attempted('young', ago(0.9));
  await signingKey(ago(39));
  await copyOf('oauth_grants', { id: randomUUID(), ended_at: ago(89) });
  await oauthPayload('young', ago(-0.1));
  await db.database.pool.query("SELECT start_auth_challenge(sha256('running'), 'oidc', '{}', 60)");
}

const EACH = {
  contexts: 1,
  system_alerts: 1,
  imports: 1,
  tombstones: 1,
  excluded_sessions: 1,
  trace_marks: 1,
  project_glossaries: 1,
  usage_reservations: 1,
  rate_limits: 1,
  user_sessions: 1,
  auth_attempts: 1,
  signing_keys: 1,
  oauth_grants: 1,
  oauth_payloads: 1,
  auth_challenges: 1,
  model_response_cache: 1,
};

test('deletes expired rows with their dependents, of an idle tenant; the rest remains', async () => {
  await youngRows();
  const before = await remaining();
  await oldRows();
  expect(await remaining()).not.toEqual(before);
  expect(Object.fromEntries(await sweepOld(maintenance))).toEqual(EACH);
  expect(await remaining()).toEqual(before);
  expect([...(await sweepOld(maintenance)).values()]).toEqual(TABLES.map(() => 0));
});

test('leaves the use counts of a memory unchanged, and contexts used within two days', async () => {
  await db.write('UPDATE learnings SET use_count = 3, use_weight = 2 WHERE tenant_id = $1', [user.tenantId]);
  await oldRows();
  const used = idOfAge(100);
  await copyOf('contexts', { id: used });
  await copyOf('memory_uses', { context_id: used, created_at: ago(1) });
  await sweepOld(maintenance);
  const rows = await db.rows(
    'SELECT use_count, use_weight, (SELECT count(*)::integer FROM contexts WHERE id = $2) AS used FROM learnings WHERE tenant_id = $1',
    [user.tenantId, used],
  );
  expect(rows).toEqual([{ use_count: 3, use_weight: 2, used: 1 }]);
});

test('deletes in batches until no row remains, or its time is over', async () => {
  for (let n = 0; n < 7; n += 1) await copyOf('contexts', { id: idOfAge(100 + n) });
  expect((await sweepOld(maintenance, 2, 0)).get('contexts')).toBe(2);
  expect((await sweepOld(maintenance, 2)).get('contexts')).toBe(5);
});

test('skips rows that another transaction has locked, without waiting', async () => {
  await oldRows();
  const other = await db.maintenance.connect();
  try {
    await other.query('BEGIN');
    for (const table of TABLES) await other.query(`SELECT FROM ${table} FOR UPDATE`);
    expect([...(await sweepOld(maintenance)).values()]).toEqual(TABLES.map(() => 0));
    await other.query('ROLLBACK');
  } finally {
    other.release(true);
  }
  expect(Object.fromEntries(await sweepOld(maintenance))).toEqual(EACH);
});

test('skips resources with a retention policy, and rows under legal hold', async () => {
  await oldRows();
  await db.write(
    "INSERT INTO retention_policies (id, tenant_id, resource, age_days, action) VALUES (uuidv7(), $1, 'context', 400, 'delete')",
    [user.tenantId],
  );
  await db.write(
    "INSERT INTO legal_holds (id, tenant_id, subject, subject_id, reason, created_by) VALUES (uuidv7(), $1, 'user', $2, 'a case', $2)",
    [user.tenantId, user.userId],
  );
  expect(Object.fromEntries(await sweepOld(maintenance))).toEqual({
    ...EACH,
    contexts: 0,
    system_alerts: 0,
    imports: 0,
  });
});

const never = () => Promise.reject(new Error('unexpected call'));
const UNEXPECTED: WorkflowHints & VectorIndex = {
  export: () => {
    throw new Error('unexpected call');
  },
  session: never,
  index: never,
  modelBatch: never,
  reindex: never,
  ensureCollection: never,
  load: never,
  queued: never,
  dropAll: never,
  upsert: never,
  existing: never,
  list: never,
  listed: never,
  matches: () => false,
  removeObjects: never,
  remove: never,
  drop: never,
  keyword: never,
  nearest: never,
  vectorsOf: never,
  ping: never,
  close: never,
};

test('is done with the partitions, every day', async () => {
  await oldRows();
  const before = await remaining();
  const activities = createMaintenanceActivities({
    auditDays: 400,
    measure: measureMachine,
    database: db.database,
    maintenance,
    idleMs: 1,
    indexName: 'm',
    cacheEntries: 0,
    hints: UNEXPECTED,
    startJob: never,
    workflows: { isRunning: never },
    vectors: UNEXPECTED,
  });
  expect(await activities.ensurePartitions()).toEqual({ created: expect.any(Number) });
  expect((await remaining())['contexts']).toBe((before['contexts'] ?? 0) - 1);
});
