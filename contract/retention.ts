import { z } from 'zod';
import { DATA_CLASSES } from '../domain/data-classes.ts';
import {
  ACTIONS_OF,
  MAX_AGE_DAYS,
  MIN_AGE_DAYS,
  OF_CLASS,
  OF_PROJECT,
  RETAINED,
  RETENTION_ACTIONS,
} from '../domain/retention/policy.ts';
import type { Retained } from '../domain/retention/policy.ts';
import { HOLD_SUBJECTS, RETENTION_MODES, WORK_STATES } from '../domain/jobs.ts';
import { line } from './text.ts';

export const MAX_POLICIES = 200;

/** A rule for a kind, with what such rows have: a project, a class, and what can be done with them. */
function ruleFor(resource: Retained) {
  const none = z.null().default(null);
  return z.strictObject({
    resource: z.literal(resource),
    project: OF_PROJECT.has(resource)
      ? z.uuid().nullable().default(null).describe('Id of a project; null: all projects')
      : none,
    data_class: OF_CLASS.has(resource)
      ? z.enum(DATA_CLASSES).nullable().default(null).describe('Data class; null: all classes')
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
export type Policy = z.output<typeof policySchema>;

export const policiesSchema = z
  .object({
    data: z.array(policySchema),
    defaults: z
      .array(policySchema)
      .describe('Default policies of kinds that no policy names; all other kinds are retained'),
    hash: z.string().describe('Hash of the policies and active legal holds'),
    approved: z.boolean().describe('Whether a dry run of this hash was approved, or none is needed'),
  })
  .meta({ id: 'RetentionPolicies' });

const count = z.number().int();
export const runSchema = z
  .object({
    id: z.string(),
    job_id: z.string(),
    mode: z.enum(RETENTION_MODES),
    state: z.enum(WORK_STATES),
    hash: z.string().describe('Hash of the policies and legal holds of the run'),
    reference_time: z.string().describe('Time from which ages are counted'),
    scheduled: z.boolean(),
    rows: count,
    bytes: count,
    error: z.string().nullable().describe('Type of the failure'),
    approved_at: z.string().nullable(),
    approved_by: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'RetentionRun' });

export const countSchema = z
  .object({
    rule: z.string().describe('Id of the policy, or `default`'),
    resource: z.enum(RETAINED),
    action: z.string(),
    project: z.string().nullable(),
    data_class: z.string().nullable(),
    month: z.string(),
    rows: count,
    bytes: count,
  })
  .meta({ id: 'RetentionCount' });

export const QUESTION_CHARS = 500;

export const archiveSchema = z
  .object({
    id: z.string(),
    session_id: z.string(),
    project: z.string().nullable(),
    title: z.string(),
    preview: z.string().describe('Start of the session summary'),
    started_at: z.string(),
    ended_at: z.string(),
    archived_at: z.string(),
    counts: z.record(z.string(), z.number().int()).describe('Number of rows, by table'),
    bytes: z.number().int().describe('Size of the file, in bytes'),
    sha256: z.string().describe('SHA-256 of the file'),
  })
  .meta({ id: 'Archive' });

export const holdSchema = z
  .object({
    id: z.string(),
    subject: z.enum(HOLD_SUBJECTS),
    subject_id: z.string(),
    reason: z.string(),
    created_by: z.string(),
    created_at: z.string(),
    released_by: z.string().nullable(),
    released_at: z.string().nullable(),
  })
  .meta({ id: 'LegalHold' });

const reason = line(1_000);

export const holdBody = z.discriminatedUnion('subject', [
  z.strictObject({ subject: z.literal('tenant'), id: z.uuid().optional(), reason }),
  z.strictObject({ subject: z.enum(HOLD_SUBJECTS).exclude(['tenant']), id: z.uuid(), reason }),
]);

export const runAnswer = z.object({ run: runSchema });

export const runReport = z.object({ run: runSchema, counts: z.array(countSchema) });

export const archiveRestore = z.object({ archive: archiveSchema, job_id: z.string() });
