import { z } from 'zod';
import {
  ACTIONS_OF,
  DATA_CLASSES,
  MAX_AGE_DAYS,
  MIN_AGE_DAYS,
  OF_CLASS,
  OF_PROJECT,
  RETAINED,
  RETENTION_ACTIONS,
} from '../domain/retention/policy.ts';
import type { Retained, RetentionRule } from '../domain/retention/policy.ts';
import { RETENTION_MODES, RETENTION_STATES } from '../stores/postgres/retention/retention-runs.ts';
import type { RetentionCount, StoredRun } from '../stores/postgres/retention/retention-runs.ts';
import { jobIdOf } from '../stores/temporal/job-ids.ts';

export const MAX_POLICIES = 200;

/** A rule for a kind, with what such rows have: a project, a class, and what can be done with them. */
function ruleFor(resource: Retained) {
  const none = z.null().default(null);
  return z.strictObject({
    resource: z.literal(resource),
    project: OF_PROJECT.has(resource)
      ? z.uuid().nullable().default(null).describe('Id of a project; null: every one')
      : none,
    data_class: OF_CLASS.has(resource)
      ? z.enum(DATA_CLASSES).nullable().default(null).describe('Null: every class')
      : none,
    age_days: z.number().int().min(MIN_AGE_DAYS).max(MAX_AGE_DAYS),
    action: z.enum(ACTIONS_OF[resource]),
  });
}

export const ruleBody = z.discriminatedUnion('resource', [
  ruleFor(RETAINED[0]),
  ...RETAINED.slice(1).map((resource) => ruleFor(resource)),
]);

export const policySchema = z
  .object({
    id: z.string(),
    resource: z.enum(RETAINED),
    project: z.string().nullable(),
    data_class: z.enum(DATA_CLASSES).nullable(),
    age_days: z.number().int(),
    action: z.enum(RETENTION_ACTIONS),
  })
  .meta({ id: 'RetentionPolicy' });

export const policiesSchema = z
  .object({
    data: z.array(policySchema),
    defaults: z.array(policySchema).describe('What holds for kinds that no policy names; all others are kept'),
    hash: z.string().describe('Of the policies and the holds that stand'),
    approved: z.boolean().describe('Whether a dry run of exactly this was approved, or none is needed'),
  })
  .meta({ id: 'RetentionPolicies' });

const count = z.number().int();
export const runSchema = z
  .object({
    id: z.string(),
    job_id: z.string(),
    mode: z.enum(RETENTION_MODES),
    state: z.enum(RETENTION_STATES),
    hash: z.string().describe('Of the policies and holds that it was made for'),
    reference_time: z.string().describe('Ages are counted back from here'),
    scheduled: z.boolean(),
    rows: count,
    bytes: count,
    error: z.string().nullable().describe('Type of what ended it'),
    approved_at: z.string().nullable(),
    approved_by: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'RetentionRun' });

export const countSchema = z
  .object({
    rule: z.string().describe('Id of the policy, or default'),
    resource: z.enum(RETAINED),
    action: z.string(),
    project: z.string().nullable(),
    data_class: z.string().nullable(),
    month: z.string(),
    rows: count,
    bytes: count,
  })
  .meta({ id: 'RetentionCount' });

export function presentRule(rule: RetentionRule): z.input<typeof policySchema> {
  const { id, resource, projectId: project, dataClass, ageDays, action } = rule;
  return { id, resource, project, data_class: dataClass, age_days: ageDays, action };
}

export function presentRun(run: StoredRun): z.input<typeof runSchema> {
  return {
    id: run.id,
    job_id: jobIdOf({ kind: 'retention', subject: run.id }),
    mode: run.mode,
    state: run.state,
    hash: run.policyHash,
    reference_time: run.referenceTime.toISOString(),
    scheduled: run.userId === null,
    rows: run.rows,
    bytes: run.bytes,
    error: run.error,
    approved_at: run.approvedAt?.toISOString() ?? null,
    approved_by: run.approvedBy,
    created_at: run.createdAt.toISOString(),
    finished_at: run.finishedAt?.toISOString() ?? null,
  };
}

export function presentCount({ projectId, dataClass, ...counted }: RetentionCount): z.input<typeof countSchema> {
  return { ...counted, project: projectId, data_class: dataClass === '' ? null : dataClass };
}
