import { z } from 'zod';
import type pg from 'pg';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { closeWithoutEvidence } from '../erasure/forget.ts';
import { columnOf, idsOf } from '../connection/rows.ts';

/** Quotes of missing rows. One statement has one snapshot: rows that are being written do not appear as dangling. */

/** Rows that retention deleted remain in `capture_keys` as long as their session: their quotes remain valid. */
const isRow = (rowId: string, sessionId: string): string => `(
  EXISTS (SELECT FROM observations o WHERE o.id = ${rowId}) OR EXISTS (SELECT FROM prompts p WHERE p.id = ${rowId})
  OR EXISTS (SELECT FROM capture_keys k WHERE k.session_id = ${sessionId} AND k.row_id = ${rowId}))`;
const isSource = (at: string): string => `(
  EXISTS (SELECT FROM summaries u WHERE u.id = ${at}.source_id) OR EXISTS (SELECT FROM learnings l WHERE l.id = ${at}.source_id)
  OR ${isRow(`${at}.source_id`, `${at}.session_id`)})`;

/** Archived rows are not checked: their quotes remain valid until the rows return. */
const isHere = (sessionId: string): string =>
  `NOT EXISTS (SELECT FROM archives a WHERE a.session_id = ${sessionId}) AND ${sessionId} = ANY ($1::uuid[])`;
const OF_LEARNINGS = `FROM learning_evidence e WHERE ${isHere('e.session_id')} AND NOT ${isRow('e.row_id', 'e.session_id')} AND NOT EXISTS (SELECT FROM summaries u WHERE u.id = e.row_id)`;
const OF_ENTITIES = `FROM entity_mentions m WHERE ${isHere('m.session_id')} AND NOT ${isSource('m')}`;
const OF_RELATIONS = `FROM relation_evidence r WHERE ${isHere('r.session_id')} AND NOT ${isSource('r')}`;
const PIECES = `CROSS JOIN LATERAL jsonb_array_elements(s.evidence) AS piece(value)`;
const IS_DANGLING_PIECE = `piece.value ->> 'rowId' ~ '^[0-9a-f-]{36}$' AND NOT ${isRow("(piece.value ->> 'rowId')::uuid", 's.session_id')}`;
const OF_SUMMARIES = `FROM summaries s ${PIECES} WHERE ${isHere('s.session_id')} AND ${IS_DANGLING_PIECE}`;

/** Returns at most 1,000 missing sessions that quotes of a tenant name; the next check finds the rest. */
export async function sessionsOfQuotesAlone(maintenance: pg.Pool, tenantId: TenantId): Promise<string[]> {
  const { rows } = await maintenance.query(
    `SELECT q.session_id AS id
       FROM (SELECT session_id FROM learning_evidence WHERE tenant_id = $1 UNION SELECT session_id FROM entity_mentions WHERE tenant_id = $1
             UNION SELECT session_id FROM relation_evidence WHERE tenant_id = $1) AS q
      WHERE NOT EXISTS (SELECT FROM sessions s WHERE s.id = q.session_id) LIMIT 1000`,
    [tenantId],
  );
  return idsOf(rows);
}

/** Returns the number of quotes of these sessions whose row does not exist. */
export async function countDangling(maintenance: pg.Pool, sessionIds: readonly string[]): Promise<number> {
  const { rows } = await maintenance.query(
    `SELECT (SELECT count(*) ${OF_LEARNINGS}) + (SELECT count(*) ${OF_ENTITIES}) + (SELECT count(*) ${OF_RELATIONS}) + (SELECT count(*) ${OF_SUMMARIES}) AS count`,
    [sessionIds],
  );
  return columnOf(rows, 'count', z.coerce.number())[0] ?? 0;
}

/**
 * Deletes dangling evidence. Returns the number of pieces, and the learnings that were closed because they have no quote left, as forgetting does. The daily
 * consolidation prunes unused entities and relations.
 */
export async function dropDangling(
  transaction: TenantTransaction,
  sessionIds: readonly string[],
): Promise<{ readonly dropped: number; readonly closed: readonly string[] }> {
  const taught = await transaction.$queryRawUnsafe<{ learning_id: string }[]>(
    `DELETE FROM learning_evidence WHERE (learning_id, row_id, quote_sha256) IN (SELECT e.learning_id, e.row_id, e.quote_sha256 ${OF_LEARNINGS}) RETURNING learning_id`,
    sessionIds,
  );
  const closed = await closeWithoutEvidence(
    transaction,
    taught.map((row) => row.learning_id),
  );
  const others = [
    `DELETE FROM entity_mentions WHERE (entity_id, session_id, source_id) IN (SELECT m.entity_id, m.session_id, m.source_id ${OF_ENTITIES})`,
    `DELETE FROM relation_evidence WHERE (relation_id, session_id, source_id) IN (SELECT r.relation_id, r.session_id, r.source_id ${OF_RELATIONS})`,
  ];
  let dropped = taught.length;
  for (const text of others) dropped += await transaction.$executeRawUnsafe(text, sessionIds);
  const [pieces] = await transaction.$queryRawUnsafe<{ count: number }[]>(
    `WITH dangling AS (SELECT s.id, count(*) AS n ${OF_SUMMARIES} GROUP BY s.id),
     rewritten AS (UPDATE summaries s SET evidence = coalesce((SELECT jsonb_agg(piece.value) FROM jsonb_array_elements(s.evidence) AS piece(value) WHERE NOT (${IS_DANGLING_PIECE})), '[]')
                FROM dangling d WHERE d.id = s.id RETURNING d.n)
     SELECT coalesce(sum(n), 0)::integer AS count FROM rewritten`,
    sessionIds,
  );
  return { dropped: dropped + (pieces?.count ?? 0), closed };
}
