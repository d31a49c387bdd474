import type pg from 'pg';
import { z } from 'zod';
import { importanceCapSql } from '../../../domain/learning/decay.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { Retained } from '../../../domain/retention/policy.ts';
import { bindCells } from './retention-groups.ts';
import type { ActingRun } from './retention-groups.ts';
import { removalSql } from '../embeddings/embedding-removal.ts';
import { rewriteSql, rowsAfterPromptSql } from '../embeddings/embedding-rewrites.ts';
import { HOT_TABLES, pickSql, sourceOf, walks } from './retention-picks.ts';
import { expireValuesSql } from './expired-full-values.ts';
import { LONG_TEXT_SQL, fullValueNotesSql } from '../capture/full-values.ts';
import { FIRST_ID } from '../../../domain/ids.ts';

const ALL_ROWS = 2_000_000_000;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export interface RetentionBatch {
  readonly resource: Retained;
  /** True if rows are only counted. */
  readonly isDry: boolean;
  readonly runs: readonly ActingRun[];
  /** Group of the runs. */
  readonly groupId: string;
  /** Last row of the previous batch. */
  readonly after: string;
  readonly limit: number;
}

const touched = z.array(z.object({ tenant: z.string(), id: z.string() })).nullable();
const batchRow = z.object({
  picked: z.number(),
  deleted: z.number(),
  last: z.string().nullable(),
  followed: z.number(),
  entities: touched,
  relations: touched,
});

export interface BatchResult {
  /** Number of processed rows. */
  readonly rows: number;
  /** Start of the next batch; null if there is none. */
  readonly after: string | null;
  /** False if the runs were ended meanwhile: there is no more work for them. */
  readonly isRequested: boolean;
  /** Entities whose weight must be computed again. */
  readonly entities: readonly { readonly tenant: string; readonly id: string }[];
  readonly relations: readonly { readonly tenant: string; readonly id: string }[];
}

const IDS = 'ARRAY(SELECT p.id FROM picked p)';
const SESSIONS = 'ARRAY(SELECT DISTINCT p.session FROM picked p)';

/** Vectors, mentions and cached responses of deleted rows, and the counts of their sessions. */
const REMOVALS = `
  , ${removalSql('resource_id = ANY (ARRAY(SELECT g.id FROM deleted g))')}
  , mentions AS (
    DELETE FROM entity_mentions m WHERE m.session_id = ANY (${SESSIONS}) AND m.source_id = ANY (ARRAY(SELECT g.id FROM deleted g)) RETURNING m.tenant_id AS tenant, m.entity_id AS id
  ), proofs AS (
    DELETE FROM relation_evidence m WHERE m.session_id = ANY (${SESSIONS}) AND m.source_id = ANY (ARRAY(SELECT g.id FROM deleted g)) RETURNING m.tenant_id AS tenant, m.relation_id AS id
  )`;
/**
 * Requests again the chunks that contain the start of a deleted user prompt, each up to the next prompt. Those of earlier deleted prompts
 * were requested then.
 */
const REWRITES = `
  , affected AS (
    SELECT m.id FROM deleted g ${rowsAfterPromptSql('g.session_id', 'g.seq')}
     WHERE g.type = 'user' AND NOT EXISTS (SELECT FROM deleted o WHERE o.id = m.id)
  ), ${rewriteSql('ARRAY(SELECT a.id FROM affected a)')}`;
const ANSWERS = `, answers AS (DELETE FROM model_response_cache WHERE session_id = ANY (${SESSIONS}))`;

function countsOf(column: string): string {
  return `, fewer AS (
    UPDATE sessions s SET ${column} = greatest(0, s.${column} - l.rows), token_count = greatest(0, s.token_count - l.tokens), updated_at = now()
      FROM (SELECT g.session_id, count(*)::integer AS rows, sum(g.tokens)::integer AS tokens FROM deleted g GROUP BY 1) AS l WHERE s.id = l.session_id)`;
}

/** Columns of deleted rows, with the text that may contain the note of a truncated value. */
const longTextSql = (resource: 'observation' | 'prompt'): string => `, ${LONG_TEXT_SQL[resource]} AS body`;
const EXPIRED = `, expired AS (${expireValuesSql(`SELECT g.tenant_id, note[1] FROM deleted g CROSS JOIN LATERAL ${fullValueNotesSql('g.body')} AS note WHERE g.body IS NOT NULL`)})`;

/** Returns the processing of picked rows, as parts of the one statement. */
function treatment(resource: Retained, hotBound: string): string {
  const { table, key } = sourceOf(resource);
  const where = `r.${key} = ANY (${IDS.replace('FROM picked p', "FROM picked p WHERE p.action = 'delete'")})${hotBound}`;
  const deleted = (returning: string): string =>
    `, deleted AS (DELETE FROM ${table} r WHERE ${where} RETURNING ${returning})`;
  switch (resource) {
    case 'observation':
      return `${deleted(`r.id, r.tenant_id, r.session_id, r.tokens${longTextSql('observation')}`)}, lowered AS (
        UPDATE observations r SET importance = ${importanceCapSql('d.before - coalesce(uuid_extract_timestamp(r.id), r.created_at)')}::real
          FROM (SELECT p.id, c.before FROM picked p JOIN cells c ON c.run = p.run AND c.rule = p.rule WHERE p.action = 'decay' GROUP BY 1, 2) AS d
         WHERE r.id = d.id AND r.id = ANY (ARRAY(SELECT p.id FROM picked p WHERE p.action = 'decay'))${hotBound} RETURNING r.id
      )${REMOVALS}${ANSWERS}${EXPIRED}${countsOf('observation_count')}`;
    case 'prompt':
      return `${deleted(`r.id, r.tenant_id, r.session_id, r.tokens, r.seq, r.type${longTextSql('prompt')}`)}${REMOVALS}${REWRITES}${ANSWERS}${EXPIRED}${countsOf('prompt_count')}`;
    case 'summary':
      return `${deleted('r.id')}${REMOVALS}`;
    case 'learning':
      return `${deleted('r.id')}${REMOVALS}
        , chains AS (UPDATE learnings l SET previous_id = NULL WHERE l.previous_id = ANY (${IDS}) AND l.id <> ALL (${IDS}))
        , successors AS (UPDATE learnings l SET superseded_by = NULL WHERE l.superseded_by = ANY (${IDS}) AND l.id <> ALL (${IDS}))`;
    case 'session':
      throw new Error('sessions go one by one');
    case 'usage':
    case 'context':
    case 'import':
    case 'alert':
    case 'tombstone':
    case 'excluded_session':
      return deleted(`r.${key} AS id`);
  }
}

function statementOf(resource: Retained, isDry: boolean): string {
  const isHot = HOT_TABLES[resource] !== undefined;
  const seen = walks(resource) ? 'scanned' : 'picked';
  const hasGraph = MEMORY_TYPES.some((type) => type === resource);
  // Both bounds again, so that only the months of the batch are opened.
  const treated = isDry ? '' : treatment(resource, isHot ? ' AND r.id > $3::uuid AND r.id < $7::uuid' : '');
  const done = isDry
    ? 'SELECT * FROM picked'
    : `SELECT p.* FROM picked p WHERE p.id IN (SELECT g.id FROM deleted g${resource === 'observation' ? ' UNION ALL SELECT l.id FROM lowered l' : ''})`;
  const touchedSql = (from: string): string =>
    isDry || !hasGraph
      ? 'NULL'
      : `(SELECT json_agg(DISTINCT jsonb_build_object('tenant', t.tenant, 'id', t.id)) FROM ${from} t)`;
  return `${pickSql(resource, '')}${treated}
  , done AS (${done})
  , counted AS (
    INSERT INTO retention_counts AS rc (run_id, tenant_id, rule, resource, action, project_id, data_class, month, rows, bytes)
    SELECT d.run, d.tenant, d.rule, '${resource}', d.action, d.project, d.class, d.month, count(*), sum(d.bytes) FROM done d GROUP BY 1, 2, 3, 5, 6, 7, 8
    ON CONFLICT (run_id, rule, resource, action, project_id, data_class, month) DO UPDATE SET rows = rc.rows + excluded.rows, bytes = rc.bytes + excluded.bytes
  ), last AS (SELECT p.id FROM ${seen} p ORDER BY p.id DESC LIMIT 1
  ), followed AS (
    UPDATE retention_runs r SET cursor = jsonb_build_object('stage', '${resource}', 'after', ${sourceOf(resource).key === 'id' ? `coalesce((SELECT l.id::text FROM last l), '${LAST_ID}')` : `'${isDry ? LAST_ID : FIRST_ID}'`})
     WHERE r.group_id = $8::uuid AND r.mode = '${isDry ? 'dry_run' : 'run'}' AND r.state = 'running' RETURNING 1)
  SELECT (SELECT count(*) FROM ${seen})::integer AS picked, (SELECT count(*) FROM done)::integer AS deleted, (SELECT id::text FROM last) AS last,
         (SELECT count(*) FROM followed)::integer AS followed, ${touchedSql('mentions')} AS entities, ${touchedSql('proofs')} AS relations`;
}

/**
 * Processes the next rows of a kind, for all runs of a group that act on it: one statement and one transaction, with counts and position.
 * Takes no lock before or after the statement. Rows under a legal hold in its snapshot remain.
 */
export async function treatBatch(maintenance: pg.Pool, batch: RetentionBatch): Promise<BatchResult> {
  const { resource, isDry, runs, groupId, after, limit } = batch;
  const none = { rows: 0, after: null, isRequested: true, entities: [], relations: [] };
  const { cells, named } = bindCells(runs, resource);
  if (cells.length === 0) return none;
  const leaving = bindCells(runs, 'session');
  const highest = cells.reduce((most, cell) => (cell.before_id > most ? cell.before_id : most), FIRST_ID);
  // Rows without ids are counted at once: rows deleted meanwhile by others would be searched forever.
  const isKeyed = sourceOf(resource).key === 'id';
  const most = isDry && !isKeyed ? ALL_ROWS : limit;
  const { rows } = await maintenance.query(statementOf(resource, isDry), [
    JSON.stringify(cells),
    named,
    after,
    most,
    JSON.stringify(leaving.cells),
    leaving.named,
    highest,
    groupId,
  ]);
  const row = batchRow.parse(rows[0]);
  const isOver = row.picked < limit || (!isKeyed && (isDry || row.deleted === 0));
  return {
    rows: row.deleted,
    after: isOver ? null : isKeyed ? row.last : FIRST_ID,
    isRequested: row.followed > 0,
    entities: row.entities ?? [],
    relations: row.relations ?? [],
  };
}
