import { classesWithout } from '../../../domain/data-classes.ts';
import type { TenantTable } from './table-catalog.ts';

/** Scope of the rows: all of a tenant, or those of one project, user or session of it. */
export interface PortableScope {
  readonly kind: 'tenant' | 'project' | 'user' | 'session';
  readonly tenantId: string;
  /** Id of the project, the user or the session; null for the tenant. */
  readonly subject: string | null;
  /** The only user whose rows of restricted classes are written; null: those of every user. */
  readonly restrictedOf: string | null;
}

type Narrow = Exclude<PortableScope['kind'], 'tenant'>;

/** Sessions of a scope; `$1` is the tenant and `$2` the subject, as in all rules. */
const SESSIONS: Readonly<Record<Narrow, string>> = {
  session: `SELECT s.id FROM sessions s WHERE s.tenant_id = $1 AND s.id = $2`,
  user: `SELECT s.id FROM sessions s WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.status <> 'deleted'`,
  project: `SELECT s.id FROM sessions s WHERE s.tenant_id = $1 AND s.project_id = $2 AND s.status <> 'deleted'`,
};

const TAUGHT = (kind: Narrow) =>
  `SELECT e.learning_id FROM learning_evidence e WHERE e.session_id IN (${SESSIONS[kind]}) UNION SELECT l.id FROM learnings l WHERE l.tenant_id = $1 AND l.session_id IN (${SESSIONS[kind]})`;
/** Of the learnings that a person's sessions taught, without private ones of others. */
const TAUGHT_SHARED = (kind: Narrow, owner: string) =>
  `SELECT l.id FROM learnings l WHERE l.tenant_id = $1 AND (l.visibility = 'shared' OR l.user_id = ${owner}) AND l.id IN (${TAUGHT(kind)})`;
const LEARNINGS: Readonly<Record<Narrow, string>> = {
  session: TAUGHT_SHARED('session', '(SELECT s.user_id FROM sessions s WHERE s.tenant_id = $1 AND s.id = $2)'),
  user: `${TAUGHT_SHARED('user', '$2')} UNION SELECT l.id FROM learnings l WHERE l.tenant_id = $1 AND l.user_id = $2`,
  project: `${TAUGHT('project')} UNION SELECT l.id FROM learnings l WHERE l.tenant_id = $1 AND l.project_id = $2`,
};
const RELATIONS = (kind: Narrow) =>
  `SELECT v.relation_id FROM relation_evidence v WHERE v.session_id IN (${SESSIONS[kind]})`;
const ENTITIES = (kind: Narrow) =>
  `SELECT m.entity_id FROM entity_mentions m WHERE m.session_id IN (${SESSIONS[kind]})
   UNION SELECT unnest(ARRAY[r.from_id, r.to_id]) FROM relations r WHERE r.id IN (${RELATIONS(kind)})`;
const PROJECTS: Readonly<Record<Narrow, string>> = {
  session: `SELECT s.project_id FROM sessions s WHERE s.id IN (${SESSIONS.session}) UNION SELECT l.project_id FROM learnings l WHERE l.id IN (${LEARNINGS.session})`,
  user: `SELECT s.project_id FROM sessions s WHERE s.id IN (${SESSIONS.user}) UNION SELECT l.project_id FROM learnings l WHERE l.id IN (${LEARNINGS.user})`,
  project: `SELECT $2::uuid UNION SELECT l.project_id FROM learnings l WHERE l.id IN (${LEARNINGS.project})`,
};
const USERS: Readonly<Record<Narrow, string>> = {
  session: `SELECT s.user_id FROM sessions s WHERE s.id IN (${SESSIONS.session}) UNION SELECT l.user_id FROM learnings l WHERE l.id IN (${LEARNINGS.session})`,
  user: `SELECT $2::uuid UNION SELECT l.user_id FROM learnings l WHERE l.id IN (${LEARNINGS.user})`,
  project: `SELECT s.user_id FROM sessions s WHERE s.id IN (${SESSIONS.project}) UNION SELECT l.user_id FROM learnings l WHERE l.id IN (${LEARNINGS.project})`,
};

/** Condition on a row `t`; null if the scope contains no row of the table. */
type Rule = (kind: Narrow) => string | null;

const ofSessions: Rule = (kind) => `t.session_id IN (${SESSIONS[kind]})`;
const ofProjects: Rule = (kind) => `t.project_id IN (${PROJECTS[kind]})`;
/** Tables that belong to the complete tenant only. */
const tenantOnly: Rule = () => null;
const contexts: Rule = (kind) =>
  kind === 'user'
    ? 't.user_id = $2'
    : kind === 'session'
      ? 't.session_id = $2'
      : `t.session_id IN (${SESSIONS.project})`;

/** Exported rows of each table for a part of a tenant. A test compares the names with the catalog. */
export const EXPORTED_TABLES: Readonly<Record<string, Rule>> = {
  boundaries: ofSessions,
  capture_keys: ofSessions,
  contexts,
  embeddings: (kind) =>
    `(t.session_id IN (${SESSIONS[kind]}) OR t.resource_type = 'learning' AND t.resource_id IN (${LEARNINGS[kind]}))`,
  entities: (kind) => `t.id IN (${ENTITIES(kind)})`,
  entity_mentions: ofSessions,
  excluded_sessions: tenantOnly,
  learning_evidence: ofSessions,
  learnings: (kind) => `t.id IN (${LEARNINGS[kind]})`,
  memory_uses: (kind) => `t.context_id IN (SELECT t.id FROM contexts t WHERE t.tenant_id = $1 AND ${contexts(kind)})`,
  observations: ofSessions,
  project_aliases: ofProjects,
  project_glossaries: (kind) => (kind === 'project' ? 't.project_id = $2' : null),
  projects: (kind) => `t.id IN (${PROJECTS[kind]})`,
  prompts: ofSessions,
  relation_evidence: ofSessions,
  relations: (kind) => `t.id IN (${RELATIONS(kind)})`,
  sessions: (kind) => `t.id IN (${SESSIONS[kind]})`,
  settings: (kind) => (kind === 'project' ? "t.scope = 'project' AND t.scope_id = $2::text" : null),
  summaries: ofSessions,
  tombstones: (kind) =>
    `(t.host, t.external_id, t.user_id) IN (SELECT s.host, s.external_id, s.user_id FROM sessions s WHERE s.id IN (${SESSIONS[kind]}))`,
  transcript_prompts: ofSessions,
  usage_ledger: (kind) =>
    kind === 'user' ? `(t.user_id = $2 OR t.session_id IN (${SESSIONS.user}))` : `t.session_id IN (${SESSIONS[kind]})`,
  users: (kind) => `t.id IN (${USERS[kind]})`,
  windows: ofSessions,
};

/** Tables that no line is written of, and why. */
export const UNEXPORTED_TABLES: Readonly<Record<string, string>> = {
  api_keys: 'keys open this instance alone',
  audit_anchors: 'what happened on this instance',
  audit_heads: 'what happened on this instance',
  audit_log: 'what happened on this instance; admins export it by itself',
  archives: 'files in the archive store of this instance: a session is restored before it is exported',
  embedding_cache: 'vectors are made anew',
  embedding_counts: 'counts what this instance did',
  embedding_removals: 'leave the vector index of this instance',
  embedding_indexes: 'which index serves is for each instance to say',
  expired_full_values: 'files of this instance that are to go',
  exports: 'jobs of this instance',
  erasures: 'jobs of this instance; tombstones carry their effect',
  gdpr_requests: 'requests to this instance',
  imports: 'jobs of this instance',
  legal_holds: 'decided by each instance',
  model_response_cache: 'a cache that expires',
  model_response_bands: 'a cache that expires',
  model_batches: 'calls that are on their way from this instance',
  model_batch_calls: 'calls that are on their way from this instance',
  retention_counts: 'jobs of this instance',
  retention_policies: 'decided by each instance',
  retention_runs: 'jobs of this instance',
  consistency_checks: 'jobs and figures of this instance',
  stats_snapshots: 'jobs and figures of this instance',
  imported_rows: 'jobs and figures of this instance',
  trace_marks: 'name spans of this instance for a week',
  stream_events: 'report changes on this instance for a day',
  system_alerts: 'alerts of this instance',
  transcript_files: 'files of a machine',
  auth_attempts: 'attempts on this instance',
  mfa_recovery: 'opens this instance alone',
  mfa_totp: 'sealed with a key of this instance',
  oauth_grants: 'access to this instance',
  oauth_payloads: 'access to this instance',
  refresh_tokens: 'log-ins to this instance',
  signing_keys: 'sealed with a key of this instance',
  user_sessions: 'log-ins to this instance',
  user_invites: 'invites open this instance alone',
  user_identities: 'identities open this instance alone',
  passkeys: 'passkeys open this instance alone',
  auth_challenges: 'started log-ins',
  usage_reservations: 'calls that are on their way from this instance',
  rate_limits: 'requests of this minute',
};

/** Further conditions that hold in every scope. */
const ALWAYS: Readonly<Record<string, string>> = {
  // Only this instance can read encrypted values.
  settings: 'NOT t.sensitive',
  embeddings: `t.model = coalesce((SELECT i.serving_model FROM embedding_indexes i WHERE i.tenant_id = $1), t.model)`,
};

/** Rows that the scope's reader may export by their class; in the tenant's scope no other condition uses `$2`. */
const OF_ALLOWED_CLASS = `(t.data_class NOT IN (${classesWithout('isExported')
  .map((name) => `'${name}'`)
  .join(', ')}) OR t.user_id = $3::uuid AND $2::uuid IS NOT DISTINCT FROM $2::uuid)`;
const CLASSIFIED: ReadonlySet<string> = new Set(['observations', 'prompts']);

/**
 * Returns the condition for a table's rows `t` in a scope, with `$1` the tenant, `$2` the subject and `$3` the user of `restrictedOf`; null if the scope has none of them. A table without
 * a rule belongs to the tenant's scope, and to a session's if it has a session column.
 */
export function conditionOf(table: TenantTable, scope: PortableScope): string | null {
  if (UNEXPORTED_TABLES[table.name] !== undefined) return null;
  const always = ALWAYS[table.name];
  const isLimited = scope.restrictedOf !== null && CLASSIFIED.has(table.name);
  const base = [
    't.tenant_id = $1',
    ...(always === undefined ? [] : [always]),
    ...(isLimited ? [OF_ALLOWED_CLASS] : []),
  ];
  if (scope.kind === 'tenant') return base.join(' AND ');
  const rule =
    EXPORTED_TABLES[table.name] ?? (table.columns.some(({ name }) => name === 'session_id') ? ofSessions : tenantOnly);
  const narrowed = rule(scope.kind);
  return narrowed === null ? null : [...base, narrowed].join(' AND ');
}
