import { z } from 'zod';
import { ruleProblem } from '../../../domain/retention/policy.ts';
import type { RetentionRule } from '../../../domain/retention/policy.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { lockPolicies, readPolicyState, writePolicies } from '../../../stores/postgres/retention/retention-policies.ts';
import type { PolicyState } from '../../../stores/postgres/retention/retention-policies.ts';
import {
  approveRun,
  listRuns,
  openRun,
  readCounts,
  readRun,
} from '../../../stores/postgres/retention/retention-runs.ts';
import { guardedRoute, principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError, existing } from '../../errors.ts';
import {
  MAX_POLICIES,
  policiesSchema,
  ruleBody,
  runAnswer,
  runReport,
  runSchema,
  policySchema,
} from '../../../contract/retention.ts';
import type { countSchema } from '../../../contract/retention.ts';
import { paginationOf } from '../../http/paging.ts';
import { pageOfItems, pageQuery, idParams } from '../../../contract/shared.ts';
import { text } from '../../../contract/text.ts';
import type { RetentionCount, StoredRun } from '../../../stores/postgres/retention/retention-runs.ts';
import { jobIdOf } from '../../../stores/temporal/job-ids.ts';

/** Lines of a report that are answered, those of most rows first. */
const SHOWN_COUNTS = 1_000;

function presentState({ rules, effective, hash, approved }: PolicyState): z.input<typeof policiesSchema> {
  const defaults = effective.filter(({ id }) => id === 'default');
  return { data: rules.map(presentRule), defaults: defaults.map(presentRule), hash, approved };
}

/** The rules of a body. @throws ApiError VALIDATION_FAILED, which names the field of the one that cannot be */
async function rulesOf(
  transaction: TenantTransaction,
  given: readonly z.output<typeof ruleBody>[],
): Promise<Omit<RetentionRule, 'id'>[]> {
  const rules = given.map((rule) => ({
    resource: rule.resource,
    projectId: rule.project,
    dataClass: rule.data_class,
    ageDays: rule.age_days,
    action: rule.action,
  }));
  const projects = [...new Set(rules.flatMap(({ projectId }) => projectId ?? []))];
  const known = await transaction.project.findMany({ where: { id: { in: projects } }, select: { id: true } });
  const details = rules.flatMap((rule, n) => {
    const problem = ruleProblem(rule);
    if (problem !== null) return [{ field: `policies.${n}.${problem.field}`, message: problem.message }];
    if (rule.projectId !== null && !known.some(({ id }) => id === rule.projectId))
      return [{ field: `policies.${n}.project`, message: 'is no project of this tenant' }];
    const isTwice = rules.some(
      (other, m) =>
        m < n &&
        other.resource === rule.resource &&
        other.projectId === rule.projectId &&
        other.dataClass === rule.dataClass,
    );
    return isTwice
      ? [{ field: `policies.${n}`, message: 'names the same resource, project and class as one before it' }]
      : [];
  });
  if (details.length > 0) throw new ApiError('VALIDATION_FAILED', 'the request is not valid', details);
  return rules;
}

export function presentRule(rule: RetentionRule): z.input<typeof policySchema> {
  return present(policySchema, { ...rule, project: rule.projectId });
}

export function presentRun(run: StoredRun): z.input<typeof runSchema> {
  return present(runSchema, {
    ...run,
    jobId: jobIdOf({ kind: 'retention', subject: run.id }),
    hash: run.policyHash,
    scheduled: run.userId === null,
  });
}

export function presentCount({ projectId, dataClass, ...counted }: RetentionCount): z.input<typeof countSchema> {
  return { ...counted, project: projectId, data_class: dataClass === '' ? null : dataClass };
}

/** `/admin/retention`: retention policies, dry runs and runs. */
export function retentionRoutes(app: Api, { database, startJob, clock }: ApiDependencies): void {
  app.get(
    '/admin/retention/policies',
    route('admin', {
      tags: ['retention'],
      summary: 'List retention policies',
      response: { 200: policiesSchema },
    }),
    async (request) => presentState(await database.asTenant(viewOf(principalOf(request)), readPolicyState)),
  );
  app.put(
    '/admin/retention/policies',
    guardedRoute('admin', {
      tags: ['retention'],
      summary: 'Replace the retention policies',
      description:
        'Accepts one policy per resource, project of the tenant and data class. The most specific policy applies: project and class, project, class, neither. A change deletes nothing until a dry run of it is approved.',
      body: z.strictObject({
        policies: z.array(ruleBody).max(MAX_POLICIES),
        hash: text(64, 0)
          .optional()
          .describe('Hash of the policies read before; rejected with CONFLICT if they have changed'),
      }),
      response: { 200: policiesSchema },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const { policies, hash } = request.body;
      return database.asTenant(tenantId, async (transaction) => {
        await lockPolicies(transaction);
        if (hash !== undefined && (await readPolicyState(transaction)).hash !== hash)
          throw new ApiError('CONFLICT', 'policies or legal holds have changed; read them again');
        await writePolicies(transaction, tenantId, userId, await rulesOf(transaction, policies));
        return presentState(await readPolicyState(transaction));
      });
    },
  );
  app.post(
    '/admin/retention',
    route('admin', {
      tags: ['retention'],
      summary: 'Start a retention run or a dry run',
      description:
        'A run with `dry_run` false is rejected with DRY_RUN_REQUIRED until a dry run of the current policies and legal holds is approved.',
      body: z.strictObject({ dry_run: z.boolean().default(true) }),
      response: { 202: runAnswer },
    }),
    async (request, reply) => {
      const { tenantId, userId } = principalOf(request);
      const mode = request.body.dry_run ? 'dry_run' : 'run';
      const run = await database.asTenant(tenantId, async (transaction) => {
        await lockPolicies(transaction);
        const { hash, approved } = await readPolicyState(transaction);
        if (mode === 'run' && !approved)
          throw new ApiError(
            'DRY_RUN_REQUIRED',
            'policies or legal holds have changed: start a dry run, review it and approve it',
          );
        const now = new Date(clock.now());
        const id = await openRun(transaction, { tenantId, groupId: null, mode, hash, userId, now });
        return existing(await readRun(transaction, id), 'run');
      });
      // If the workflow cannot be started, the next request of the same kind, or the sweep, starts it.
      await startJob('retentionRun', tenantId, run.id, { runId: run.id });
      return reply.status(202).send({ run: presentRun(run) });
    },
  );
  app.get(
    '/admin/retention/runs',
    route('admin', {
      tags: ['retention'],
      summary: 'List retention runs and dry runs, newest first',
      querystring: z.strictObject(pageQuery),
      response: { 200: pageOfItems(runSchema) },
    }),
    async (request) => {
      const { page, limit } = request.query;
      const { runs, total } = await database.asTenant(viewOf(principalOf(request)), (transaction) =>
        listRuns(transaction, { id: null, limit, offset: (page - 1) * limit }),
      );
      return { data: runs.map(presentRun), pagination: paginationOf(page, limit, total) };
    },
  );
  app.get(
    '/admin/retention/runs/:id',
    route('admin', {
      tags: ['retention'],
      summary: 'Get the report of a retention run',
      description: `Returns rows and bytes by policy, kind, class, project and month; at most ${SHOWN_COUNTS} groups, those with the most rows.`,
      params: idParams,
      response: { 200: runReport },
    }),
    async (request) => {
      const { id } = request.params;
      const found = await database.asTenant(viewOf(principalOf(request)), async (transaction) => ({
        run: existing(await readRun(transaction, id), 'run'),
        counts: await readCounts(transaction, id, SHOWN_COUNTS),
      }));
      return { run: presentRun(found.run), counts: found.counts.map(presentCount) };
    },
  );
  app.post(
    '/admin/retention/runs/:id/approve',
    guardedRoute('admin', {
      tags: ['retention'],
      summary: 'Approve a dry run',
      params: idParams,
      response: { 200: runAnswer },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const { id } = request.params;
      return database.asTenant(tenantId, async (transaction) => {
        await lockPolicies(transaction);
        const run = existing(await readRun(transaction, id), 'run');
        if (run.policyHash !== (await readPolicyState(transaction)).hash)
          throw new ApiError('CONFLICT', 'policies or legal holds have changed since: start another dry run');
        if (run.approvedAt === null && !(await approveRun(transaction, id, userId)))
          throw new ApiError('CONFLICT', 'only a completed dry run can be approved');
        return { run: presentRun((await readRun(transaction, id)) ?? run) };
      });
    },
  );
}
