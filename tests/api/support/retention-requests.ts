import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { createTestUser } from '../../setup/database.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import type { ContractRequest } from './openapi.ts';

const V1 = '/api/v1';
const ADMIN = `${V1}/admin/retention`;

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
    { operation: `get ${ADMIN}/runs`, path: '/admin/retention/runs' },
    { operation: `get ${ADMIN}/runs/{id}`, path: `/admin/retention/runs/${runId}` },
    { operation: `post ${ADMIN}/runs/{id}/approve`, path: `/admin/retention/runs/${runId}/approve` },
    {
      operation: `put ${ADMIN}/policies`,
      path: '/admin/retention/policies',
      options: { body: { policies: [{ resource: 'prompt', data_class: 'public', age_days: 30, action: 'delete' }] } },
    },
    { operation: `get ${ADMIN}/policies`, path: '/admin/retention/policies' },
    { operation: `post ${ADMIN}`, path: '/admin/retention', options: { body: { dry_run: true } } },
    { operation: `get ${V1}/admin/legal-holds`, path: '/admin/legal-holds?released=true' },
    {
      operation: `post ${V1}/admin/legal-holds`,
      path: '/admin/legal-holds',
      options: { body: { subject: 'tenant', reason: 'a case' } },
    },
    { operation: `delete ${V1}/admin/legal-holds/{id}`, path: `/admin/legal-holds/${holdId}` },
    { operation: `get ${V1}/archives`, path: '/archives' },
    { operation: `get ${V1}/archives`, path: '/archives?q=head' },
    { operation: `post ${V1}/archives/{id}/restore`, path: `/archives/${archiveId}/restore` },
  ];
}

/** A refusal of each. */
export function retentionFailures(reader: string): ContractRequest[] {
  const none = newId();
  return [
    { operation: `get ${ADMIN}/runs`, path: '/admin/retention/runs?limit=0' },
    { operation: `get ${ADMIN}/runs/{id}`, path: `/admin/retention/runs/${none}` },
    { operation: `post ${ADMIN}/runs/{id}/approve`, path: `/admin/retention/runs/${none}/approve` },
    { operation: `put ${ADMIN}/policies`, path: '/admin/retention/policies', options: { body: {} } },
    { operation: `get ${ADMIN}/policies`, path: '/admin/retention/policies', options: { key: reader } },
    { operation: `post ${ADMIN}`, path: '/admin/retention', options: { body: { dry_run: false } } },
    { operation: `get ${V1}/admin/legal-holds`, path: '/admin/legal-holds?odd=1' },
    {
      operation: `post ${V1}/admin/legal-holds`,
      path: '/admin/legal-holds',
      options: { body: { subject: 'user', reason: 'x' } },
    },
    { operation: `delete ${V1}/admin/legal-holds/{id}`, path: `/admin/legal-holds/${none}` },
    { operation: `get ${V1}/archives`, path: `/archives?q=${'x'.repeat(501)}` },
    { operation: `post ${V1}/archives/{id}/restore`, path: `/archives/${none}/restore` },
  ];
}
