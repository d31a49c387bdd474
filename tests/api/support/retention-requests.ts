import { runAnswer, runReport } from '../../../contract/retention.ts';
import { newId } from '../../../domain/ids.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { idIn } from './answers.ts';
import type { ContractRequest } from './openapi.ts';

/** Creates a legal hold, a completed dry run and an archived session. Returns their ids. */
export async function seedRetention(instance: TestInstance) {
  // Of a user without data: the data of others is forgotten and erased meanwhile.
  const { userId } = await instance.user();
  const hold = await instance.post('/admin/legal-holds', { subject: 'user', id: userId, reason: 'a case' });
  const { run } = runAnswer.parse((await instance.post('/admin/retention', { dry_run: true })).body);
  await untilTrue(async () => {
    const report = runReport.parse((await instance.get(`/admin/retention/runs/${run.id}`)).body);
    return report.run.state === 'completed';
  });
  const archiveId = newId();
  await instance.write(
    `INSERT INTO archives (id, tenant_id, session_id, user_id, title, heads, started_at, ended_at, counts, object_key, object_bytes, object_sha256, lines_sha256)
     SELECT $1, s.tenant_id, s.id, s.user_id, 'A title', 'A head', now(), now(), '{"prompts": 1}', 'archives/none', 1, sha256('o'), sha256('l') FROM sessions s WHERE s.tenant_id = $2 LIMIT 1`,
    [archiveId, instance.admin.tenantId],
  );
  return { holdId: idIn(hold), runId: run.id, archiveId };
}
type RetentionIds = Awaited<ReturnType<typeof seedRetention>>;

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
