import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createExportImportActivities } from '../../../activities/export-import/create-export-import-activities.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { createPool } from '../../../stores/postgres/connection/pool.ts';
import { tenantScopeOf } from '../../../stores/postgres/connection/tenant-scope.ts';
import { openExport } from '../../../stores/postgres/exports/exports.ts';
import { fileDatabase } from '../../setup/database.ts';
import { seedTenant } from '../../stores/postgres/support/seed-tenant.ts';

const db = fileDatabase();

test('an export whose file cannot be written leaves no connection in its transaction', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-export-'));
  const maintenance = createPool({
    url: db.url('maintenance'),
    max: 1,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 20_000,
    applicationName: 'failed-export',
    onIdleError: () => undefined,
  });
  onTestFinished(async () => {
    await maintenance.end();
    rmSync(folder, { recursive: true });
  });
  const { tenantId, userId } = await seedTenant(db);
  // Nothing was forgotten a moment ago, which an export would wait for.
  await db.write("UPDATE tombstones SET created_at = now() - interval '1 minute'");
  // More than the buffers between the rows and the file hold.
  await db.write(
    `UPDATE learnings SET description = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 100000) AS n) WHERE tenant_id = $1`,
    [tenantId],
  );
  const { id } = await db.database.asTenant(tenantId, (transaction) =>
    openExport(transaction, { tenantId, userId, scope: 'tenant', subject: null, includeRestricted: false }),
  );
  const blocked = path.join(folder, 'blocked');
  writeFileSync(blocked, 'a file, and no folder');
  const none = () => Promise.resolve();
  const activities = createExportImportActivities({
    maintenance,
    scope: tenantScopeOf(maintenance),
    hints: { session: none, index: none, reindex: none, modelBatch: none },
    archive: createDirectoryArchive(blocked),
    embeddingModel: { name: 'm', dimension: 3 },
    now: Date.now,
    signingKey: null,
  });
  const written = new MockActivityEnvironment().run(() => activities.writeExport({ tenantId, jobId: id }));
  await expect(written).rejects.toThrow('could not be written');
  await maintenance.query('UPDATE exports SET updated_at = now() WHERE id = $1', [id]);
});
