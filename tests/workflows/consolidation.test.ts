import { ScheduleOverlapPolicy } from '@temporalio/client';
import { beforeAll, expect, test } from 'vitest';
import { bootstrapTemporal } from '../../infra/bootstrap/temporal.ts';
import { newId } from '../../domain/ids.ts';
import { learningFingerprint } from '../../stores/postgres/learnings/learnings.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { until } from '../setup/until.ts';

const PATIENCE_MS = 120_000;
const instance = fileInstance({}, ['capture-sweep', 'consolidation']);

beforeAll(async () => {
  await instance.startWorker();
});

async function plant(description: string, category: string): Promise<string> {
  const id: string = newId();
  const print = learningFingerprint({ projectId: null, namespace: 'default', ownerId: null, category, description });
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from)
     VALUES ($1, $2, $3, $4, $5, '', $6, 0.5, now())`,
    [id, instance.admin.tenantId, instance.admin.userId, Buffer.from(print), category, description],
  );
  await instance.write(
    `INSERT INTO embeddings (id, tenant_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id)
     VALUES ($1, $2, 'learning', $3, 0, 'none', 3, 'h', $4)`,
    [newId(), instance.admin.tenantId, id, newId()],
  );
  return id;
}

test('the schedule merges duplicates and removes their vectors', { timeout: PATIENCE_MS * 2 }, async () => {
  const current = await plant('Always use tabs for indentation', 'pattern');
  const closed = await plant('Always use tabs for the indentation', 'best_practice');
  await instance.temporal.schedule.getHandle('ops/consolidation').trigger();
  const replaced = await until(async () => {
    const rows = await instance.rows<{ superseded_by: string | null; reason: string | null }>(
      'SELECT superseded_by, reason FROM learnings WHERE id = $1 AND valid_to IS NOT NULL',
      [closed],
    );
    return rows[0];
  }, PATIENCE_MS);
  expect(replaced).toEqual({ superseded_by: current, reason: 'duplicate' });
  await until(async () => {
    const rows = await instance.rows(
      'SELECT FROM embeddings WHERE resource_id = $1 UNION ALL SELECT FROM embedding_removals WHERE resource_id = $1',
      [closed],
    );
    return rows.length === 0 ? true : undefined;
  }, PATIENCE_MS);
});

test(
  'the schedule skips a run while one is under way, and is brought up to date',
  { timeout: PATIENCE_MS },
  async () => {
    const { address, namespace } = instance.config.temporal;
    await bootstrapTemporal({ address, namespace });
    const described = await instance.temporal.schedule.getHandle('ops/consolidation').describe();
    expect(described.policies).toMatchObject({ overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 86_400_000 });
    expect(described.spec.calendars).toMatchObject([{ hour: [{ start: 3 }], minute: [{ start: 40 }] }]);
  },
);
