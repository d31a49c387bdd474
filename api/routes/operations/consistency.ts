import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { requestCheck, readChecks } from '../../../stores/postgres/consistency/consistency-checks.ts';
import type { StoredCheck } from '../../../stores/postgres/consistency/consistency-checks.ts';
import { jobIdOf } from '../../../stores/temporal/job-ids.ts';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { dataOf, ERROR_RESPONSES } from '../../../contract/shared.ts';
import { numeric } from '../../../contract/query.ts';
import { checkSchema } from '../../../contract/operations.ts';

const sumOf = (given: Readonly<Record<string, number>>): number =>
  Object.values(given).reduce((sum, count) => sum + count, 0);

function presentCheck(check: StoredCheck): z.input<typeof checkSchema> {
  const { id, userId, state, repair, rows, found, repaired, error } = check;
  return {
    id,
    job_id: userId === null ? null : jobIdOf({ kind: 'check', subject: id }),
    state,
    repair,
    rows,
    found,
    repaired,
    remaining: Math.max(0, sumOf(found) - sumOf(repaired)),
    error,
    started_at: check.createdAt.toISOString(),
    finished_at: check.finishedAt?.toISOString() ?? null,
  };
}

/** `POST /admin/consistency` and its checks: PostgreSQL against the vector index and the workflows, for the tenant's admin. */
export function consistencyRoutes({ database, checks }: ApiDependencies): FastifyPluginCallbackZod {
  const read = (tenantId: TenantId, query: Parameters<typeof readChecks>[1]): Promise<StoredCheck[]> =>
    database.readAsTenant(tenantId, (run) => readChecks(run, query));

  const one = async (tenantId: TenantId, id: string): Promise<z.input<typeof checkSchema>> => {
    const [check] = await read(tenantId, { id, before: null, limit: 1 });
    if (check === undefined) throw new ApiError('NOT_FOUND', 'there is no such check');
    return presentCheck(check);
  };

  return (app, _options, done) => {
    app.post(
      '/admin/consistency',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['admin'],
          summary: 'Start a consistency check',
          description: 'Runs in the background. Counts differences by kind, and repairs them if `repair` is true.',
          body: z.strictObject({
            repair: z.boolean().default(false).describe('Repair differences'),
            dry_run: z.boolean().default(false).describe('Count differences only, even if `repair` is true'),
          }),
          response: { 202: checkSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { tenantId, userId } = principalOf(request);
        const repair = request.body.repair && !request.body.dry_run;
        const id: string = newId();
        await database.asTenant(tenantId, (transaction) => requestCheck(transaction, { id, tenantId, userId, repair }));
        await checks.start({ tenantId, checkId: id, repair });
        return reply.status(202).send(await one(tenantId, id));
      },
    );
    app.get(
      '/admin/consistency/checks',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['admin'],
          summary: 'List consistency checks, newest first',
          querystring: z.strictObject({
            limit: numeric(z.number().int().min(1).max(100)).prefault(20),
            before: z.uuid().optional().describe('Id of a check; returns older ones'),
          }),
          response: { 200: dataOf(checkSchema), ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { limit, before } = request.query;
        const found = await read(principalOf(request).tenantId, { id: null, before: before ?? null, limit });
        return { data: found.map(presentCheck) };
      },
    );
    app.get(
      '/admin/consistency/checks/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['admin'],
          summary: 'Get a consistency check',
          params: z.object({ id: z.uuid() }),
          response: { 200: checkSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => one(principalOf(request).tenantId, request.params.id),
    );
    done();
  };
}
