import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuditActivities } from '../../../activities/audit/create-audit-activities.ts';
import { SET_FORMAT, signManifest } from '../../../activities/backup/manifest.ts';
import { manifestKey } from '../../../domain/backup/set-keys.ts';
import { createArchiveStore } from '../../../stores/archive/create-archive-store.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { auditHeads } from '../../../stores/postgres/audit/anchors.ts';
import { fileDatabase } from '../../setup/database.ts';
import type { TestUser } from '../../setup/database.ts';
import { appendRows } from '../../stores/postgres/support/audit-rows.ts';

const db = fileDatabase();
const keyOf = () =>
  generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  }).privateKey;
const signingKey = keyOf();
let folder: string;
let store: ArchiveStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'recollect-anchors-'));
  store = createArchiveStore(folder, { endpoint: null, region: 'none', credentials: null });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes the manifest of a backup with the heads of now. */
async function backUp(key: Uint8Array): Promise<void> {
  const client = await db.maintenance.connect();
  const audit = await auditHeads(client);
  client.release();
  const id = randomUUID();
  const at = new Date().toISOString();
  const text = signManifest(
    {
      format: SET_FORMAT,
      id,
      snapshotAt: at,
      finishedAt: at,
      recollectVersion: 'test',
      migrations: ['0001_baseline'],
      functions: null,
      postgresVersion: '18',
      compression: 'zstd',
      encryption: null,
      tables: [],
      vectors: [],
      queries: [],
      journal: null,
      audit,
    },
    key,
  );
  const piece = async function* () {
    yield Buffer.from(text);
  };
  await store.write(manifestKey(id), piece());
}

function activities() {
  const made = createAuditActivities({
    database: db.database,
    maintenance: db.maintenance,
    stores: [store],
    signingKey,
  });
  return {
    collect: (): ReturnType<typeof made.collectAuditAnchors> =>
      new MockActivityEnvironment().run(() => made.collectAuditAnchors()),
    verify: ({ tenantId }: TestUser): ReturnType<typeof made.verifyAuditLog> =>
      new MockActivityEnvironment().run(() => made.verifyAuditLog({ tenantId })),
  };
}

const alerts = ({ tenantId }: TestUser) =>
  db.rows("SELECT user_id, details FROM system_alerts WHERE tenant_id = $1 AND type = 'audit_log_fault'", [tenantId]);

test('a log written anew with head and anchors is found by the manifest of a backup, and alerts the admins', async () => {
  const admin = await db.createUser({ role: 'admin' });
  await db.createUser({ tenantId: admin.tenantId });
  await appendRows(db, admin, 6);
  await backUp(signingKey);
  await appendRows(db, admin, 3);
  const { collect, verify } = activities();
  expect(await collect()).toEqual({ manifests: 1, unreadable: 0 });
  expect(await verify(admin)).toEqual({ checked: 9, isIntact: true });
  expect(await alerts(admin)).toEqual([]);

  for (const table of ['audit_log', 'audit_heads', 'audit_anchors'])
    await db.superuser.query(`DELETE FROM ${table} WHERE tenant_id = $1`, [admin.tenantId]);
  await appendRows(db, admin, 9);
  expect((await verify(admin)).isIntact).toBe(true);
  await collect();
  await verify(admin);
  expect(await verify(admin)).toEqual({ checked: 9, isIntact: false });
  expect(await alerts(admin)).toEqual([{ user_id: admin.userId, details: { seq: 6, kind: 'anchor' } }]);
});

test('manifests of other signers are not believed', async () => {
  const admin = await db.createUser({ role: 'admin' });
  await appendRows(db, admin, 2);
  const { collect, verify } = activities();
  const { manifests } = await collect();
  await backUp(keyOf());
  expect(await collect()).toEqual({ manifests, unreadable: 1 });
  expect(await db.count('audit_anchors WHERE tenant_id = $1', [admin.tenantId])).toBe(0);
  expect((await verify(admin)).isIntact).toBe(true);
});
