import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { createTestUser } from '../../setup/database.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import type { ContractRequest } from './openapi.ts';

/** What the requests name. */
export interface RetentionIds {
  readonly holdId: string;
  /** A dry run that is done. */
  readonly runId: string;
  readonly archiveId: string;
}

/** A hold, a dry run that is done, and an archived session. */
export async function seedRetention(instance: TestInstance): Promise<RetentionIds> {
  const { db, admin } = instance;
  // Of a user without data: the data of others is forgotten and erased meanwhile.
  const { userId } = await createTestUser(db.superuser, { tenantId: admin.tenantId });
  const hold = await instance.call('POST', '/admin/legal-holds', {
    body: { subject: 'user', id: userId, reason: 'a case' },
  });
  const started = await instance.call('POST', '/admin/retention', { body: { dry_run: true } });
  const { run } = z.object({ run: z.object({ id: z.string() }) }).parse(started.body);
  await until(async () => {
    const { body } = await instance.call('GET', `/admin/retention/runs/${run.id}`);
    return z.object({ run: z.object({ state: z.string() }) }).parse(body).run.state === 'completed' ? true : undefined;
  });
  const archiveId = newId();
  await db.superuser.query(
    `INSERT INTO archives (id, tenant_id, session_id, user_id, title, heads, started_at, ended_at, counts, object_key, object_bytes, object_sha256, lines_sha256)
     SELECT $1, s.tenant_id, s.id, s.user_id, 'A title', 'A head', now(), now(), '{"prompts": 1}', 'archives/none', 1, sha256('o'), sha256('l') FROM sessions s WHERE s.tenant_id = $2 LIMIT 1`,
    [archiveId, admin.tenantId],
  );
  return { holdId: z.object({ id: z.string() }).parse(hold.body).id, runId: run.id, archiveId };
}

/** A success of every route of retention, legal holds and archives, in an order in which each is possible. */
export function retentionSuccesses({ holdId, runId, archiveId }: RetentionIds): ContractRequest[] {
  return [
    ['get /admin/retention/runs', '/admin/retention/runs'],
    ['get /admin/retention/runs/{id}', `/admin/retention/runs/${runId}`],
    ['post /admin/retention/runs/{id}/approve', `/admin/retention/runs/${runId}/approve`],
    [
      'put /admin/retention/policies',
      '/admin/retention/policies',
      { body: { policies: [{ resource: 'prompt', data_class: 'public', age_days: 30, action: 'delete' }] } },
    ],
    ['get /admin/retention/policies', '/admin/retention/policies'],
    ['post /admin/retention', '/admin/retention', { body: { dry_run: true } }],
    ['get /admin/legal-holds', '/admin/legal-holds?released=true'],
    ['post /admin/legal-holds', '/admin/legal-holds', { body: { subject: 'tenant', reason: 'a case' } }],
    ['delete /admin/legal-holds/{id}', `/admin/legal-holds/${holdId}`],
    ['get /archives', '/archives'],
    ['get /archives', '/archives?q=head'],
    ['post /archives/{id}/restore', `/archives/${archiveId}/restore`],
  ];
}

/** A refusal of each. */
export function retentionFailures(reader: string): ContractRequest[] {
  const none = newId();
  return [
    ['get /admin/retention/runs', '/admin/retention/runs?limit=0'],
    ['get /admin/retention/runs/{id}', `/admin/retention/runs/${none}`],
    ['post /admin/retention/runs/{id}/approve', `/admin/retention/runs/${none}/approve`],
    ['put /admin/retention/policies', '/admin/retention/policies', { body: {} }],
    ['get /admin/retention/policies', '/admin/retention/policies', { key: reader }],
    ['post /admin/retention', '/admin/retention', { body: { dry_run: false } }],
    ['get /admin/legal-holds', '/admin/legal-holds?odd=1'],
    ['post /admin/legal-holds', '/admin/legal-holds', { body: { subject: 'user', reason: 'x' } }],
    ['delete /admin/legal-holds/{id}', `/admin/legal-holds/${none}`],
    ['get /archives', `/archives?q=${'x'.repeat(501)}`],
    ['post /archives/{id}/restore', `/archives/${none}/restore`],
  ];
}
