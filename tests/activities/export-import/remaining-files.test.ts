import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createExportImportActivities } from '../../../activities/export-import/create-export-import-activities.ts';
import { createRetentionActivities } from '../../../activities/retention/create-retention-activities.ts';
import type { WorkflowHints } from '../../../domain/ports/workflow-hints.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { tenantScopeOf } from '../../../stores/postgres/connection/tenant-scope.ts';
import type { TenantScope } from '../../../stores/postgres/connection/tenant-scope.ts';
import { importKey } from '../../../stores/postgres/imports/file-imports.ts';
import { fileDatabase, fileUser } from '../../setup/database.ts';

const DAY_MS = 86_400_000;
const db = fileDatabase();
const user = fileUser(db);
const folder = mkdtempSync(path.join(tmpdir(), 'recollect-remaining-files-'));
const store = createDirectoryArchive(folder);
const embeddingModel = { name: 'm', dimension: 3 };
const hints: WorkflowHints = {
  session: async () => {},
  index: async () => {},
  reindex: async () => {},
  modelBatch: async () => {},
};
let scope: TenantScope;

beforeAll(() => {
  scope = tenantScopeOf(db.maintenance);
});
beforeEach(async () => {
  await db.write("UPDATE exports SET state = 'expired'");
  for (const key of await keys()) await store.remove(key);
});
afterAll(async () => {
  await scope.close();
  rmSync(folder, { recursive: true, force: true });
});

async function keys(): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list('')) found.push(key);
  return found.toSorted();
}

async function put(key: string): Promise<void> {
  async function* rows(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('rows');
  }
  await store.write(key, rows());
}

function activitiesOf(archive = store) {
  const parts = { maintenance: db.maintenance, scope, hints, archive, embeddingModel, signingKey: null };
  return createExportImportActivities({ ...parts, now: () => Date.now() });
}

const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

async function addExport(state: string, days: number): Promise<string> {
  const id = randomUUID();
  const key = `exports/${user.tenantId}/${id}.ndjson.zst`;
  await db.write(
    "INSERT INTO exports (id, tenant_id, user_id, scope, object_key, state, expires_at) VALUES ($1, $2, $3, 'tenant', $4, $5, now() + make_interval(days => $6))",
    [id, user.tenantId, user.userId, key, state, days],
  );
  return key;
}

async function addImport(state: string): Promise<{ readonly id: string; readonly key: string }> {
  const id = randomUUID();
  const key = importKey(user.tenantId, id);
  await db.write(
    "INSERT INTO imports (id, tenant_id, user_id, kind, options, state) VALUES ($1, $2, $3, 'file', $4, $5)",
    [id, user.tenantId, user.userId, JSON.stringify({ objectKey: key, bytes: 4, sha256: 'a' }), state],
  );
  await put(key);
  return { id, key };
}

/** The first step of the daily run, some days from now. */
async function openDaily(days: number): Promise<void> {
  const retention = createRetentionActivities({
    database: db.database,
    maintenance: db.maintenance,
    archives: store,
    objects: null,
    hints,
    embeddingModel,
    clock: { now: () => Date.now() + days * DAY_MS },
  });
  expect(await retention.openRetention({ groupId: randomUUID() })).toEqual({ runs: 0 });
}

test('the daily run removes the files of exports whose time is over, without another export', async () => {
  const [due, recent] = [await addExport('completed', -1), await addExport('completed', 1)];
  await put(due);
  await put(recent);
  await openDaily(0);
  expect(await keys()).toEqual([recent]);
  expect(await db.count("exports WHERE object_key = $1 AND state = 'expired'", [due])).toBe(1);
});

test('an export expires once its file is removed, so that an interrupted removal is repeated', async () => {
  await put(await addExport('completed', -1));
  const killed = activitiesOf({ ...store, remove: () => Promise.reject(new Error('killed')) });
  await expect(killed.expireExports()).rejects.toThrow('killed');
  expect(await activitiesOf().expireExports()).toEqual({ expired: 1 });
  expect(await keys()).toEqual([]);
});

test('the daily run removes uploaded files that no running import reads, after a day', async () => {
  const [running, failed] = [await addImport('running'), await addImport('failed')];
  const unknown = importKey(user.tenantId, randomUUID());
  await put(unknown);
  await openDaily(0);
  expect(await keys()).toEqual([running.key, failed.key, unknown].toSorted());
  await openDaily(2);
  expect(await keys()).toEqual([running.key]);
});

test('the retry of an import whose worker ended after it was completed removes its file', async () => {
  const { id } = await addImport('completed');
  await quiet().run(() => activitiesOf().readExportFile({ tenantId: user.tenantId, jobId: id }));
  expect(await keys()).toEqual([]);
});

test('an export begins when nothing is being erased', async () => {
  const key = await addExport('running', 7);
  const [job] = await db.rows<{ id: string }>('SELECT id FROM exports WHERE object_key = $1', [key]);
  const write = () => quiet().run(() => activitiesOf().writeExport({ tenantId: user.tenantId, jobId: job?.id ?? '' }));
  await db.write("INSERT INTO erasures (id, tenant_id, kind, search_text) VALUES ($1, $2, 'text', 'a text')", [
    randomUUID(),
    user.tenantId,
  ]);
  // A failure, after which Temporal waits, and no written file.
  await expect(write()).rejects.toThrow('something is being erased');
  await db.write("UPDATE erasures SET state = 'completed', finished_at = now() - interval '3 s'");
  expect(await write()).toBe(true);
  expect(await keys()).toEqual([key]);
});
