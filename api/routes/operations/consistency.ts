import { existing } from '../../errors.ts';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { requestCheck, readChecks } from '../../../stores/postgres/consistency/consistency-checks.ts';
import type { StoredCheck } from '../../../stores/postgres/consistency/consistency-checks.ts';
import { jobIdOf } from '../../../stores/temporal/job-ids.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { dataOf, idParams, pageQuery } from '../../../contract/shared.ts';
import { checkSchema } from '../../../contract/operations.ts';

const sumOf = (given: Readonly<Record<string, number>>): number =>
  Object.values(given).reduce((sum, count) => sum + count, 0);

function presentCheck(check: StoredCheck): z.input<typeof checkSchema> {
  return present(checkSchema, {
    ...check,
    jobId: check.userId === null ? null : jobIdOf({ kind: 'check', subject: check.id }),
    remaining: Math.max(0, sumOf(check.found) - sumOf(check.repaired)),
    startedAt: check.createdAt,
  });
}

/** `POST /admin/consistency` and its checks: PostgreSQL against the vector index and the workflows, for the tenant's admin. */
export function consistencyRoutes(app: Api, { database, startJob }: ApiDependencies): void {
  const read = (tenantId: TenantId, query: Parameters<typeof readChecks>[1]): Promise<StoredCheck[]> =>
    database.readAsTenant(tenantId, (run) => readChecks(run, query));

  const one = async (tenantId: TenantId, id: string): Promise<z.input<typeof checkSchema>> => {
    const [check] = await read(tenantId, { id, before: null, limit: 1 });
    return presentCheck(existing(check, 'check'));
  };

  app.post(
    '/admin/consistency',
    route('admin', {
      tags: ['admin'],
      summary: 'Start a consistency check',
      description:
        'Runs in the background. Counts differences by kind, and repairs them if `repair` is true. Returns the running check if there is one with the same `repair`.',
      body: z.strictObject({
        repair: z.boolean().default(false).describe('Repair differences'),
        dry_run: z.boolean().default(false).describe('Count differences only, even if `repair` is true'),
      }),
      response: { 202: checkSchema },
    }),
    async (request, reply) => {
      const { tenantId, userId } = principalOf(request);
      const repair = request.body.repair && !request.body.dry_run;
      const id = await database.asTenant(tenantId, (transaction) =>
        requestCheck(transaction, { id: newId(), tenantId, userId, repair }),
      );
      await startJob('consistencyRun', tenantId, id, { tenantId, checkId: id, repair });
      return reply.status(202).send(await one(tenantId, id));
    },
  );
  app.get(
    '/admin/consistency/checks',
    route('admin', {
      tags: ['admin'],
      summary: 'List consistency checks, newest first',
      querystring: z.strictObject({
        limit: pageQuery.limit,
        before: z.uuid().optional().describe('Id of a check; returns older ones'),
      }),
      response: { 200: dataOf(checkSchema) },
    }),
    async (request) => {
      const { limit, before } = request.query;
      const found = await read(principalOf(request).tenantId, { id: null, before: before ?? null, limit });
      return { data: found.map(presentCheck) };
    },
  );
  app.get(
    '/admin/consistency/checks/:id',
    route('admin', {
      tags: ['admin'],
      summary: 'Get a consistency check',
      params: idParams,
      response: { 200: checkSchema },
    }),
    (request) => one(principalOf(request).tenantId, request.params.id),
  );
}
