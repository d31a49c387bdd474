/**
 * What policies may name. `session` stands for everything that a session said; the other kinds are rows that grow with use. Not in the list are rows
 * without which others cannot be read (users, projects, keys), what other jobs keep small (caches, reservations), and the audit of what was done.
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

export const DATA_CLASSES = ['public', 'internal', 'sensitive', 'confidential', 'restricted'] as const;
export type DataClass = (typeof DATA_CLASSES)[number];

export const RETENTION_ACTIONS = ['keep', 'decay', 'archive', 'delete'] as const;
export type RetentionAction = (typeof RETENTION_ACTIONS)[number];

export const MIN_AGE_DAYS = 1;
export const MAX_AGE_DAYS = 36_500;

/** One rule: what lies longer than `ageDays` is treated so. Null: every project, every class. */
export interface RetentionRule {
  /** The policy's id, or `default` for what holds where no policy of the tenant names the kind. */
  readonly id: string;
  readonly projectId: string | null;
  readonly resource: Retained;
  readonly dataClass: DataClass | null;
  readonly ageDays: number;
  readonly action: RetentionAction;
}

/** Kinds whose rows lie in a project, that carry a data class, and what can be done with each kind. */
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
  // Half a session cannot be brought back as it was, so that sessions alone are archived.
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
 * Days after which housekeeping rows go where no policy names their kind: what nobody reads any more. Whatever people or agents said is kept until a policy
 * says otherwise. Tombstones outlive any backup that could bring back what was forgotten.
 */
export const HOUSEKEEPING_DAYS = {
  context: 90,
  alert: 90,
  import: 180,
  excluded_session: 400,
  tombstone: 3_650,
} as const satisfies Partial<Record<Retained, number>>;

/** What is wrong with a rule, by field; null where nothing is. */
export function ruleProblem(
  rule: Omit<RetentionRule, 'id'>,
): { readonly field: string; readonly message: string } | null {
  if (!ACTIONS_OF[rule.resource].includes(rule.action))
    return { field: 'action', message: `can be ${ACTIONS_OF[rule.resource].join(', ')} for ${rule.resource}` };
  if (rule.projectId !== null && !OF_PROJECT.has(rule.resource))
    return { field: 'project', message: `${rule.resource} lies in no project` };
  if (rule.dataClass !== null && !OF_CLASS.has(rule.resource))
    return { field: 'data_class', message: `${rule.resource} has no data class` };
  return null;
}
