import { afterAll, beforeAll, expect, test } from 'vitest';
import pg from 'pg';
import { newId } from '../../../domain/ids.ts';
import { ACCESS_TABLES, carryAccess } from '../../../activities/restore/carry-access.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';

let running: TestDatabase;
let restored: TestDatabase;

/** Tables restored from the backup: memories. */
const MEMORY_AND_WORK = [
  'archives',
  'boundaries',
  'capture_keys',
  'consistency_checks',
  'contexts',
  'embedding_counts',
  'embedding_indexes',
  'embedding_removals',
  'embeddings',
  'entities',
  'entity_mentions',
  'expired_full_values',
  'exports',
  'imported_rows',
  'imports',
  'learning_evidence',
  'learnings',
  'memory_uses',
  'model_response_bands',
  'model_response_cache',
  'model_batch_calls',
  'model_batches',
  'observations',
  'project_aliases',
  'project_glossaries',
  'projects',
  'prompts',
  'relation_evidence',
  'relations',
  'retention_counts',
  'retention_runs',
  'stats_snapshots',
  'summaries',
  'system_alerts',
  'transcript_files',
  'transcript_prompts',
  'usage_ledger',
  'windows',
];
/** Tables carried over otherwise, and tables that no backup contains. */
const CARRIED_OTHERWISE = [
  'audit_anchors',
  'audit_heads',
  'audit_log',
  'backup_files',
  'backups',
  'embedding_cache',
  'erasure_journal',
  'erasures',
  'legal_holds',
  'restores',
  'sessions',
  'tenants',
  'tombstones',
  'usage_reservations',
  'rate_limits',
  'auth_attempts',
  'signing_keys',
  'oauth_payloads',
  'auth_challenges',
  'stream_clock',
  'stream_events',
  'instance_samples',
  'trace_marks',
  '_prisma_migrations',
];

beforeAll(async () => {
  [running, restored] = await Promise.all([createTestDatabase(), createTestDatabase()]);
});
afterAll(async () => {
  await running.close();
  await restored.close();
});

test('assigns every table to access, memory or another carry-over', async () => {
  const rows = await running.rows<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
  );
  expect(rows.map(({ name }) => name).toSorted()).toEqual(
    [...ACCESS_TABLES, ...MEMORY_AND_WORK, ...CARRIED_OTHERWISE].toSorted(),
  );
});

/** The same tenant, person and key in both databases. */
async function inBoth(user: TestUser, username = 'ada'): Promise<void> {
  await running.write('UPDATE users SET username = $2 WHERE id = $1', [user.userId, username]);
  for (const table of ['tenants', 'users', 'api_keys']) {
    const column = table === 'tenants' ? 'id' : 'tenant_id';
    const rows = await running.rows<{ row: unknown }>(
      `SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${column} = $1`,
      [user.tenantId],
    );
    for (const { row } of rows)
      await restored.write(
        `INSERT INTO ${table} SELECT * FROM jsonb_populate_record(NULL::${table}, $1) ON CONFLICT DO NOTHING`,
        [JSON.stringify(row)],
      );
  }
}

async function carry(): Promise<void> {
  const [from, into] = [running, restored].map((db) => new pg.Client({ connectionString: db.url('maintenance') }));
  if (from === undefined || into === undefined) throw new Error('two clients');
  await Promise.all([from.connect(), into.connect()]);
  try {
    await carryAccess(from, into);
    // Right before the swap it is done once more.
    await carryAccess(from, into);
  } finally {
    await Promise.all([from.end(), into.end()]);
  }
}

const ofUser = async (db: TestDatabase, id: string) =>
  (await db.rows('SELECT username, role, active, password_hash FROM users WHERE id = $1', [id]))[0];

test('copies renamed, new and removed users as in the running database', async () => {
  const first = await running.createUser({ role: 'admin' });
  const { tenantId } = first;
  await inBoth(first);
  const second = await running.createUser({ tenantId });
  await inBoth(second, 'bob');
  const removed = await restored.createUser({ tenantId, role: 'admin' });
  await restored.write("UPDATE users SET username = 'eve' WHERE id = $1", [removed.userId]);
  await running.write("UPDATE users SET username = 'another' WHERE id = $1", [first.userId]);
  await running.write("UPDATE users SET username = 'ada', role = 'viewer', password_hash = 'new' WHERE id = $1", [
    second.userId,
  ]);
  await running.write("UPDATE users SET username = 'bob', role = 'user' WHERE id = $1", [first.userId]);
  const later = await running.createUser({ tenantId });
  await running.write("UPDATE users SET username = 'eve' WHERE id = $1", [later.userId]);
  await carry();
  for (const { userId } of [first, second, later])
    expect(await ofUser(restored, userId)).toEqual(await ofUser(running, userId));
  expect(await ofUser(restored, removed.userId)).toMatchObject({ username: `eve ${removed.userId}`, active: false });
  const rows = await restored.rows<{ user_id: string }>('SELECT user_id FROM api_keys WHERE tenant_id = $1', [
    tenantId,
  ]);
  expect(new Set(rows.map((row) => row.user_id))).toEqual(new Set([first.userId, second.userId, later.userId]));
});

test('leaves a tenant unknown to the running database as in the backup', async () => {
  const other = await restored.createUser({ role: 'admin' });
  await restored.write(
    "INSERT INTO settings (id, scope, tenant_id, scope_id, key, value) VALUES ($1, 'tenant', $2, $3, 'capture.exclude', '[\"~/private\"]')",
    [newId(), other.tenantId, other.tenantId],
  );
  await carry();
  expect(await ofUser(restored, other.userId)).toMatchObject({ role: 'admin', active: true });
  const rows = await restored.rows('SELECT value FROM settings WHERE tenant_id = $1', [other.tenantId]);
  expect(rows).toEqual([{ value: ['~/private'] }]);
});

test('copies suspensions and invites, and revives no invite of the backup', async () => {
  const user = await running.createUser();
  await inBoth(user, 'ivy');
  const add = (db: TestDatabase, token: string) =>
    db.write(
      "INSERT INTO user_invites (id, tenant_id, user_id, token_sha256, expires_at) VALUES ($1, $2, $3, sha256($4), now() + interval '1 day')",
      [newId(), user.tenantId, user.userId, token],
    );
  await add(restored, 'replaced');
  await add(running, 'current');
  await running.write('UPDATE tenants SET suspended_at = now() WHERE id = $1', [user.tenantId]);
  await carry();
  const current = "user_invites WHERE user_id = $1 AND token_sha256 = sha256('current')";
  expect(await restored.count(current, [user.userId])).toBe(1);
  expect(await restored.count('user_invites WHERE user_id = $1', [user.userId])).toBe(1);
  expect(await restored.count('tenants WHERE id = $1 AND suspended_at IS NOT NULL', [user.tenantId])).toBe(1);
});
