import { FIRST_ID } from '../../../domain/ids.ts';
import { importanceCapSql } from '../../../domain/learning/decay.ts';
import type { Retained } from '../../../domain/retention/policy.ts';

/** How the rows of a kind are read. SQL with the row as `r`, its session (if joined) as `s` and its cell as `c`. */
interface Source {
  readonly table: string;
  /** The key that rows are deleted by. Tables without an id are read from the start each time. */
  readonly key: 'id' | 'ctid';
  readonly join: string;
  readonly session: string;
  readonly user: string;
  readonly project: string;
  readonly dataClass: string;
  /** From when its age is counted. */
  readonly moment: string;
  readonly bytes: string;
  /** Columns that a batch reads; default: all. */
  readonly columns?: string;
  /** Rows that stay however old they are. */
  readonly goes: string;
}

/** Of a hot table only the needed columns: full rows of a batch would exceed the memory of a statement and go to disk. */
const hotColumns = (bytes: string, ...more: readonly string[]): string =>
  ['id', 'tenant_id', 'session_id', 'user_id', 'created_at', ...more].map((name) => `r.${name}`).join(', ') +
  `, (${bytes})::bigint AS bytes`;
const OBSERVATION_BYTES =
  'pg_column_size(r.title) + pg_column_size(r.content) + pg_column_size(r.preview) + coalesce(pg_column_size(r.input), 0)';

/** A session that was brought back from the archive is not old again at once. */
const lastOf = (session: string): string =>
  `greatest(${session}.last_event_at, (${session}.metadata ->> 'restored_at')::timestamptz)`;
const SESSION = 'LEFT JOIN sessions s ON s.id = r.session_id';
/** Rows of a session are not deleted before they are summarised. */
const SESSION_OVER = "(s.id IS NULL OR s.status <> 'active' OR s.phase = 'cancelled')";
const BY_ID = 'coalesce(uuid_extract_timestamp(r.id), r.created_at)';
const NONE = {
  session: 'NULL::uuid',
  user: 'NULL::uuid',
  project: 'NULL::uuid',
  dataClass: "''",
  join: '',
  goes: 'true',
};
const SMALL = 'pg_column_size(r.*)';

const SOURCES: Readonly<Record<Retained, Source>> = {
  session: {
    ...NONE,
    table: 'sessions',
    key: 'id',
    session: 'r.id',
    user: 'r.user_id',
    project: 'r.project_id',
    moment: lastOf('r'),
    bytes: `(SELECT coalesce(sum(pg_column_size(o.title) + pg_column_size(o.content) + pg_column_size(o.preview) + coalesce(pg_column_size(o.input), 0)), 0) FROM observations o WHERE o.session_id = r.id)
      + (SELECT coalesce(sum(pg_column_size(p.content)), 0) FROM prompts p WHERE p.session_id = r.id)`,
    goes: "(r.status = 'ended' OR c.action = 'delete' AND (r.status = 'archived' OR r.status = 'active' AND r.phase = 'cancelled'))",
  },
  observation: {
    table: 'observations',
    key: 'id',
    join: SESSION,
    session: 'r.session_id',
    user: 'r.user_id',
    project: 's.project_id',
    dataClass: 'r.data_class',
    moment: BY_ID,
    bytes: 'r.bytes',
    columns: hotColumns(OBSERVATION_BYTES, 'data_class', 'flagged', 'importance'),
    goes: `${SESSION_OVER} AND (c.action = 'delete' OR NOT r.flagged AND r.importance > ${importanceCapSql(`c.before - ${BY_ID}`)} + 0.001)`,
  },
  prompt: {
    table: 'prompts',
    key: 'id',
    join: SESSION,
    session: 'r.session_id',
    user: 'r.user_id',
    project: 's.project_id',
    dataClass: 'r.data_class',
    moment: BY_ID,
    bytes: 'r.bytes',
    columns: hotColumns('pg_column_size(r.content)', 'data_class'),
    goes: SESSION_OVER,
  },
  usage: {
    ...NONE,
    table: 'usage_ledger',
    key: 'id',
    session: 'r.session_id',
    user: 'r.user_id',
    project: 's.project_id',
    join: SESSION,
    moment: BY_ID,
    bytes: 'r.bytes',
    columns: hotColumns('120'),
    goes: SESSION_OVER,
  },
  summary: {
    ...NONE,
    table: 'summaries',
    key: 'id',
    join: SESSION,
    session: 'r.session_id',
    user: 'r.user_id',
    project: 'r.project_id',
    moment: 'r.created_at',
    bytes: 'pg_column_size(r.title) + pg_column_size(r.content)',
    goes: SESSION_OVER,
  },
  learning: {
    ...NONE,
    table: 'learnings',
    key: 'id',
    session: 'r.session_id',
    user: 'r.user_id',
    project: 'r.project_id',
    // Memories that were shown or used are not old.
    moment: 'greatest(r.created_at, r.last_shown_at, r.last_used_at)',
    bytes: 'pg_column_size(r.title) + pg_column_size(r.description) + pg_column_size(r.context)',
    // Consolidation decays learnings and reads the policies itself.
    goes: "c.action = 'delete'",
  },
  context: {
    ...NONE,
    table: 'contexts',
    key: 'id',
    session: 'r.session_id',
    user: 'r.user_id',
    project: 'r.project_id',
    moment: 'r.created_at',
    bytes: SMALL,
    // Contexts of the current day must not change today's results.
    goes: "NOT EXISTS (SELECT FROM memory_uses u WHERE u.context_id = r.id AND u.created_at > now() - interval '2 days')",
  },
  import: {
    ...NONE,
    table: 'imports',
    key: 'id',
    user: 'r.user_id',
    moment: 'coalesce(r.finished_at, r.created_at)',
    bytes: SMALL,
    goes: "r.state <> 'running'",
  },
  alert: { ...NONE, table: 'system_alerts', key: 'id', user: 'r.user_id', moment: 'r.created_at', bytes: SMALL },
  tombstone: { ...NONE, table: 'tombstones', key: 'ctid', moment: 'r.created_at', bytes: SMALL },
  excluded_session: { ...NONE, table: 'excluded_sessions', key: 'ctid', moment: 'r.created_at', bytes: SMALL },
};

/** Rows with time-ordered ids in month partitions: the id bounds the read. */
export const HOT_TABLES: Readonly<Partial<Record<Retained, string>>> = {
  observation: 'observations',
  prompt: 'prompts',
  usage: 'usage_ledger',
};

export function sourceOf(resource: Retained): { readonly table: string; readonly key: 'id' | 'ctid' } {
  return SOURCES[resource];
}

/** A named project's cell, or the one of all other projects. */
function inCell(cell: string, project: string, named: string): string {
  return `(${cell}.project = ${project} OR ${cell}.project IS NULL AND (${project} IS NULL OR ${project} <> ALL (${named})))`;
}

/** True if a batch is bounded by rows read, not by rows deleted: few of many sessions are deleted, and finding them is cheap. */
export function walks(resource: Retained): boolean {
  return resource !== 'session' && SOURCES[resource].key === 'id';
}

/**
 * The WITH list that begins every statement: `cells` ($1) and `picked`, the next expired rows of a kind, after $3 and at most $4, without a
 * legal hold in the statement's snapshot. $2: projects that cells name; $5, $6: cells of sessions and their projects, whose rows are deleted
 * with them and not separately.
 */
export function pickSql(resource: Retained, columns: string): string {
  const source = SOURCES[resource];
  const isHot = HOT_TABLES[resource] !== undefined;
  const aged = isHot ? 'r.id < c.before_id' : `${source.moment} < c.before`;
  // Usage reports include the costs of deleted sessions.
  const byItself =
    source.join === '' || resource === 'usage'
      ? '$6::uuid[] IS NOT NULL'
      : `NOT EXISTS (SELECT FROM leaving l WHERE l.tenant = r.tenant_id AND ${inCell('l', 's.project_id', '$6::uuid[]')} AND ${lastOf('s')} < l.before AND (s.status = 'ended' OR l.action = 'delete'))`;
  const isWalked = walks(resource);
  const bounds = `${source.key === 'id' ? 'r.id > $3::uuid' : `$3::uuid = '${FIRST_ID}'`}${isHot ? ' AND r.id < $7::uuid' : ' AND $7::uuid IS NOT NULL'}`;
  // Reads a fixed number of rows in the order of their ids: a batch costs the same at any table size.
  const scanned = isWalked
    ? `, scanned AS MATERIALIZED (
    SELECT ${source.columns ?? 'r.*'} FROM ${source.table} r WHERE ${bounds} AND r.tenant_id = ANY (ARRAY(SELECT DISTINCT c.tenant FROM cells c)) ORDER BY r.id LIMIT $4
  )`
    : '';
  return `WITH cells AS MATERIALIZED (
    SELECT c.* FROM jsonb_to_recordset($1::jsonb) AS c(tenant uuid, run uuid, rule text, action text, project uuid, class text, before timestamptz, before_id uuid)
  ), leaving AS MATERIALIZED (
    SELECT c.* FROM jsonb_to_recordset($5::jsonb) AS c(tenant uuid, action text, project uuid, before timestamptz)
  )${scanned}, picked AS MATERIALIZED (
    SELECT r.${source.key} AS id, r.tenant_id AS tenant, ${source.session} AS session, ${source.project} AS project, ${source.dataClass} AS class, c.run, c.rule, c.action,
           date_trunc('month', ${source.moment} AT TIME ZONE 'UTC')::date AS month, (${source.bytes})::bigint AS bytes${columns}
      FROM ${isWalked ? 'scanned' : source.table} r ${source.join}
      JOIN cells c ON c.tenant = r.tenant_id AND c.class = ${source.dataClass} AND ${inCell('c', source.project, '$2::uuid[]')} AND ${aged}
     WHERE ${isWalked ? 'true' : bounds}
       AND ${source.goes} AND ${byItself}
       AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.tenant_id = r.tenant_id AND h.released_at IS NULL
                          AND (h.subject = 'tenant' OR h.subject_id IN (${source.session}, ${source.user}, ${source.project})))
     ${source.key === 'id' ? 'ORDER BY r.id' : ''} ${isWalked ? '' : 'LIMIT $4'}
  )`;
}
