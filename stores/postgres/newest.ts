import { z } from 'zod';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';
import type { RecallFilter, RecallHit } from '../../domain/ports/vector-index.ts';
import type { TenantRead } from './database.ts';

/** Sessions of the newest that are looked at, and rows of each kind that each of them gives. */
const SESSIONS = 4;
const ROWS_OF_SESSION = 8;

/** A session's rows lie together under its index; so do its summaries. */
const NEWEST = `
    WITH newest AS MATERIALIZED (
      SELECT s.id, s.namespace FROM (
        SELECT id, namespace, last_event_at, project_id, status FROM sessions
         WHERE tenant_id = (SELECT current_tenant_id()) AND status <> 'deleted' AND ($1::uuid IS NULL OR project_id = $1) AND ($2::text IS NULL OR namespace = $2)
           AND ($3::uuid IS NULL OR id = $3) AND ($10::timestamptz IS NULL OR started_at <= $10) AND ($9::timestamptz IS NULL OR started_at < $9)
           AND ($8::timestamptz IS NULL OR last_event_at >= $8)
         ORDER BY id DESC LIMIT 50) AS s
       ORDER BY s.last_event_at DESC, s.id DESC LIMIT ${SESSIONS})
    SELECT found.id, found.type FROM newest CROSS JOIN LATERAL (
      (SELECT o.id, 'observation' AS type, o.type AS kind, o.tool, o.tags, o.user_id, o.occurred_at FROM observations o WHERE o.session_id = newest.id ORDER BY o.seq DESC LIMIT ${ROWS_OF_SESSION})
      UNION ALL
      (SELECT q.id, 'prompt', q.type, NULL, '{}', q.user_id, q.occurred_at FROM prompts q WHERE q.session_id = newest.id ORDER BY q.seq DESC LIMIT ${ROWS_OF_SESSION})
      UNION ALL
      (SELECT m.id, 'summary', coalesce(m.kind, m.type), NULL, m.tags, NULL, m.occurred_at FROM summaries m WHERE m.session_id = newest.id AND m.published ORDER BY m.to_seq DESC, m.id LIMIT ${ROWS_OF_SESSION})
      UNION ALL
      (SELECT l.id, 'learning', l.category, NULL, l.tags, NULL, l.valid_from FROM learnings l WHERE l.session_id = newest.id
          AND (CASE WHEN $10::timestamptz IS NULL THEN l.valid_to IS NULL ELSE l.valid_from <= $10 AND (l.valid_to IS NULL OR l.valid_to > $10) END) ORDER BY l.id DESC LIMIT ${ROWS_OF_SESSION})
    ) AS found
     WHERE ($4::text[] IS NULL OR found.type = ANY ($4)) AND ($5::text IS NULL OR found.kind = $5) AND ($6::text IS NULL OR found.tool = $6)
       AND ($7::text[] IS NULL OR found.tags @> $7) AND ($8::timestamptz IS NULL OR found.occurred_at >= $8) AND ($9::timestamptz IS NULL OR found.occurred_at < $9)
       AND ($10::timestamptz IS NULL OR found.occurred_at <= $10) AND ($11::uuid IS NULL OR found.user_id IS NULL OR found.user_id = $11)
     ORDER BY found.occurred_at DESC, found.id DESC LIMIT $12`;

/** The newest memories, newest first, of the newest sessions: what "latest" means where the words say little. Their scores fall from 1 evenly. */
export async function readNewest(read: TenantRead, filter: RecallFilter, limit: number): Promise<RecallHit[]> {
  const values = [
    filter.projectId ?? null,
    filter.namespace ?? null,
    filter.sessionId ?? null,
    filter.types ?? null,
    filter.kind ?? null,
    filter.tool ?? null,
    filter.tags ?? null,
    filter.since ?? null,
    filter.until ?? null,
    filter.asOf ?? null,
    filter.viewerId ?? null,
    limit,
  ];
  const rows = await read({ name: 'read_newest', text: NEWEST, values });
  return z
    .array(z.object({ id: z.string(), type: z.enum(MEMORY_TYPES) }))
    .parse(rows)
    .map(({ id, type }, place, all) => ({ memoryId: id, memoryType: type, chunk: 0, score: 1 - place / all.length }));
}
