import { TypedSearchAttributes } from '@temporalio/common';
import { beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../domain/ids.ts';
import { ATTRIBUTES, workflowIdOf } from '../../../workflows/registry.ts';
import type { TestUser } from '../../setup/database.ts';
import { sessionOf, settled } from '../../setup/demo-session.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const PATIENCE_MS = 120_000;
const instance = fileInstance();
let owner: TestUser;
let colleague: TestUser;
let viewer: TestUser;
let open: string;
let done: string;

async function statusOf(path: string, key: string): Promise<number> {
  return (await instance.post(path, undefined, key)).status;
}

async function isRunning(id: string): Promise<true | undefined> {
  const { body } = await instance.get(`/jobs/${id}`);
  return JSON.stringify(body).includes('"state":"running"') ? true : undefined;
}

beforeAll(async () => {
  await instance.startWorker();
  owner = await instance.user();
  colleague = await instance.user();
  viewer = await instance.user({ role: 'viewer' });
  await captured(instance, smallSession('open').slice(0, 3), owner.key);
  await captured(instance, smallSession('completed'), owner.key);
  await settled(instance, 'test:completed', PATIENCE_MS);
  open = (await sessionOf(instance, 'test:open')).id;
  done = (await sessionOf(instance, 'test:completed')).id;
  await until(() => isRunning(`session.${open}`), PATIENCE_MS, 'the session');
  await untilTrue(
    async () => (await instance.get(`/jobs/learning.${done}`)).status === 200,
    PATIENCE_MS,
    'the learning',
  );
}, 200_000);

describe('a job is ended and given another turn', { timeout: PATIENCE_MS }, () => {
  test.each(['cancel', 'retry'])('by its owner and admins alone: %s', async (what) => {
    for (const key of [colleague.key, viewer.key])
      for (const job of [`session.${open}`, `learning.${done}`])
        expect([job, await statusOf(`/jobs/${job}/${what}`, key)]).toEqual([job, 403]);
    expect(await isRunning(`session.${open}`)).toBe(true);
  });

  test('by the owner of its session', async () => {
    expect(await statusOf(`/jobs/session.${open}/retry`, owner.key)).toBe(202);
    expect(await statusOf(`/jobs/learning.${done}/retry`, owner.key)).toBe(202);
    expect(await statusOf(`/jobs/session.${open}/cancel`, owner.key)).toBe(202);
  });

  test('of an import by the user who started it', async () => {
    const { tenantId } = instance.admin;
    const importId = newId();
    await instance.rows(
      "INSERT INTO imports (id, tenant_id, user_id, kind, options) VALUES ($1, $2, $3, 'transcripts', $4)",
      [importId, tenantId, owner.userId, { directory: '/src', follow: false }],
    );
    const handle = await instance.temporal.workflow.start('session', {
      workflowId: workflowIdOf('import', importId),
      taskQueue: 'unserved-queue',
      typedSearchAttributes: new TypedSearchAttributes([{ key: ATTRIBUTES.tenant, value: tenantId }]),
    });
    for (const what of ['cancel', 'retry'])
      expect(await statusOf(`/jobs/import.${importId}/${what}`, colleague.key)).toBe(403);
    expect((await handle.describe()).status.name).toBe('RUNNING');
    expect(await statusOf(`/jobs/import.${importId}/cancel`, owner.key)).toBe(202);
    await handle.terminate();
  });

  test('of the index, which has no owner, to retry; only an admin cancels it', async () => {
    expect(await statusOf('/jobs/index.0/retry', colleague.key)).toBe(202);
    expect(await statusOf('/jobs/index.0/cancel', colleague.key)).toBe(403);
  });
});
