import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createArchiveStore } from '../../stores/archive/create-archive-store.ts';
import { settled } from '../setup/demo-session.ts';
import { startFailingProxy } from '../setup/failing-proxy.ts';
import type { FailingProxy } from '../setup/failing-proxy.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { startS3Gateway } from '../setup/s3-gateway.ts';
import type { S3Gateway } from '../setup/s3-gateway.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { done, JOBS } from './support/operations-jobs.ts';
import { expectCompleteSets } from './support/operations-source.ts';
import { expectVerified, expectCompleteExport } from './support/operations-steps.ts';

describe('a store whose every third request fails', () => {
  let gateway: S3Gateway;
  let proxy: FailingProxy;
  let other: TestInstance;

  beforeAll(async () => {
    gateway = await startS3Gateway();
    proxy = await startFailingProxy(gateway.endpoint, 3);
    const at = (name: string) => `s3://${gateway.bucket}/${name}`;
    other = await startTestInstance({
      ...gateway.environment,
      RECOLLECT_S3_ENDPOINT: proxy.url,
      RECOLLECT_BACKUP_STORE: at('sets'),
      RECOLLECT_BACKUP_COPY_STORE: at('off-site'),
      RECOLLECT_ARCHIVE_STORE: at('archive'),
      RECOLLECT_BACKUP_SIGNING_KEY: generateKeyPairSync('ed25519')
        .privateKey.export({ format: 'der', type: 'pkcs8' })
        .toString('base64'),
    });
    await other.startWorker();
    await captured(other, smallSession('far'));
    await settled(other, 'test:far');
  });
  afterAll(async () => {
    await other.close();
    await proxy.close();
    await gateway.close();
  });

  test('stores complete backups and exports', async () => {
    const target = { credentials: { url: other.url, apiKey: other.admin.key }, account: () => 'no services' };
    const backup = await done(target, JOBS.backup);
    expect(backup).toMatchObject({ complete: true, copy_verified_at: expect.any(String) });
    await expectVerified(target, backup.id);
    const s3 = { endpoint: gateway.endpoint, region: 'us-east-1', credentials: gateway.credentials };
    for (const name of ['sets', 'off-site'])
      await expectCompleteSets(target, createArchiveStore(`s3://${gateway.bucket}/${name}`, s3));
    const drill = await done(target, JOBS.drill, { backup_id: backup.id });
    expect(drill).toMatchObject({
      result: { tables: { different: [] }, queries: { different: 0 }, vectors: { pending: 0, unproved: 0 } },
    });
    const { rows } = await expectCompleteExport(target, await done(target, JOBS.export, { scope: 'tenant' }));
    expect(rows).toMatchObject({ sessions: 1, prompts: 2, observations: 3 });
    expect(proxy.failed()).toBeGreaterThan(20);
  });
});
