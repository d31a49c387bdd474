import { createHash } from 'node:crypto';
import type { DataClass } from '../data-classes.ts';

/**
 * Resources of policies. `session` is all content of a session; the others are rows that grow with use. Excluded: rows that others need
 * (users, projects, keys), rows that other jobs limit (caches, reservations), and the audit log.
 */
export const RETAINED = [
  'session',
  'observation',
  'prompt',
  'usage',
  'summary',
  'learning',
  'context',
  'import',
  'alert',
  'tombstone',
  'excluded_session',
] as const;
export type Retained = (typeof RETAINED)[number];

export const RETENTION_ACTIONS = ['keep', 'decay', 'archive', 'delete'] as const;
export type RetentionAction = (typeof RETENTION_ACTIONS)[number];

export const MIN_AGE_DAYS = 1;
export const MAX_AGE_DAYS = 36_500;

/** One rule for rows older than `ageDays`. Null: every project, every class. */
export interface RetentionRule {
  /** The policy's id, or `default` for resources without a policy of the tenant. */
  readonly id: string;
  readonly projectId: string | null;
  readonly resource: Retained;
  readonly dataClass: DataClass | null;
  readonly ageDays: number;
  readonly action: RetentionAction;
}

/** Resources with a project, those with a data class, and the actions of each. */
export const OF_PROJECT: ReadonlySet<Retained> = new Set([
  'session',
  'observation',
  'prompt',
  'summary',
  'learning',
  'context',
]);
export const OF_CLASS: ReadonlySet<Retained> = new Set(['observation', 'prompt']);
export const ACTIONS_OF: Readonly<Record<Retained, readonly RetentionAction[]>> = {
  // Half a session cannot be restored, so only complete sessions are archived.
  session: ['keep', 'archive', 'delete'],
  observation: ['keep', 'decay', 'delete'],
  prompt: ['keep', 'delete'],
  usage: ['keep', 'delete'],
  summary: ['keep', 'delete'],
  learning: ['keep', 'decay', 'delete'],
  context: ['keep', 'delete'],
  import: ['keep', 'delete'],
  alert: ['keep', 'delete'],
  tombstone: ['keep', 'delete'],
  excluded_session: ['keep', 'delete'],
};

/**
 * Retention in days of housekeeping rows without a policy. Content of users and agents is retained until a policy applies. Tombstones
 * outlive any backup that could restore forgotten content.
 */
export const HOUSEKEEPING_DAYS = {
  context: 90,
  alert: 90,
  import: 180,
  excluded_session: 400,
  tombstone: 3_650,
} as const satisfies Partial<Record<Retained, number>>;

/** Returns the first problem of a rule by field; null for a valid one. */
export function ruleProblem(
  rule: Omit<RetentionRule, 'id'>,
): { readonly field: string; readonly message: string } | null {
  if (!ACTIONS_OF[rule.resource].includes(rule.action))
    return { field: 'action', message: `can be ${ACTIONS_OF[rule.resource].join(', ')} for ${rule.resource}` };
  if (rule.projectId !== null && !OF_PROJECT.has(rule.resource))
    return { field: 'project', message: `${rule.resource} belongs to no project` };
  if (rule.dataClass !== null && !OF_CLASS.has(rule.resource))
    return { field: 'data_class', message: `${rule.resource} has no data class` };
  return null;
}

/** A legal hold in force. */
export interface ActiveLegalHold {
  readonly id: string;
  readonly subject: string;
  readonly subjectId: string;
}

/** Returns the hex SHA-256 of a dry run's basis: the tenant's policies and active legal holds, in any order. */
export function policyHash(rules: readonly RetentionRule[], legalHolds: readonly ActiveLegalHold[]): string {
  const lines = [
    ...rules.map((rule) =>
      JSON.stringify(['rule', rule.resource, rule.projectId, rule.dataClass, rule.ageDays, rule.action]),
    ),
    ...legalHolds.map((legalHold) => JSON.stringify(['hold', legalHold.id, legalHold.subject, legalHold.subjectId])),
  ];
  return createHash('sha256').update(lines.toSorted().join('\n'), 'utf8').digest('hex');
}
