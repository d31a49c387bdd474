import { z } from 'zod';
import type { TenantRead } from '../connection/database.ts';
import type { UsageScope } from '../usage/usage-report.ts';
import { MAX_CONTEXTS } from '../../../domain/costs/return.ts';

const returnRow = z.object({
  contexts: z.coerce.number(),
  session_starts: z.coerce.number(),
  injected_tokens: z.coerce.number(),
  start_tokens: z.coerce.number(),
  source_tokens: z.coerce.number(),
  served_memories: z.coerce.number(),
  used_memories: z.coerce.number(),
  wrong_memories: z.coerce.number(),
});

/**
 * The return of served contexts: `start_tokens` is the part of `injected_tokens` served at session starts, `source_tokens` the tokens of the sources
 * of these memories, each source once per context. `used_memories` counts memories marked useful or fetched, once per context.
 */
export type MemoryReturn = z.output<typeof returnRow>;

/** Returns what was served and how much of it was used. The source of a session summary is the session, of a topic or item its window, of a learning the quoted rows, of a row the row itself. */
export async function readMemoryReturn(read: TenantRead, scope: UsageScope): Promise<MemoryReturn> {
  const rows = await read({
    name: 'memory_return',
    text: `
      WITH given AS MATERIALIZED (
        SELECT c.id, c.purpose, c.tokens, c.item_ids, c.item_types FROM contexts c
         WHERE c.tenant_id = (SELECT current_tenant_id()) AND ($1::uuid IS NULL OR c.user_id = $1::uuid)
           AND c.id >= (lpad(to_hex((extract(epoch FROM $2::timestamptz) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
           AND c.id < (lpad(to_hex((extract(epoch FROM $3::timestamptz) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
         ORDER BY c.id DESC LIMIT ${MAX_CONTEXTS}),
      item AS MATERIALIZED (
        SELECT g.id AS context_id, i.id, i.type FROM given g CROSS JOIN LATERAL unnest(g.item_ids, g.item_types) AS i(id, type) WHERE g.purpose = 'session_start'),
      summary AS MATERIALIZED (
        SELECT DISTINCT i.context_id, m.session_id, CASE WHEN m.type = 'session' THEN NULL ELSE m.window_n END AS window_n
          FROM item i JOIN summaries m ON m.id = i.id WHERE i.type = 'summary'),
      quoted AS MATERIALIZED (
        SELECT DISTINCT i.context_id, e.row_id FROM item i JOIN learning_evidence e ON e.learning_id = i.id WHERE i.type = 'learning'
        UNION SELECT i.context_id, i.id FROM item i WHERE i.type IN ('prompt', 'observation')),
      source AS (
        SELECT s.token_count AS tokens FROM summary m JOIN sessions s ON s.id = m.session_id WHERE m.window_n IS NULL
        UNION ALL
        SELECT w.tokens FROM summary m JOIN windows w ON w.session_id = m.session_id AND w.n = m.window_n
         WHERE NOT EXISTS (SELECT FROM summary s WHERE s.context_id = m.context_id AND s.session_id = m.session_id AND s.window_n IS NULL)
        UNION ALL
        SELECT coalesce((SELECT p.tokens FROM prompts p WHERE p.id = q.row_id), (SELECT o.tokens FROM observations o WHERE o.id = q.row_id), 0) FROM quoted q)
      SELECT count(*) AS contexts, count(*) FILTER (WHERE g.purpose = 'session_start') AS session_starts, coalesce(sum(g.tokens), 0) AS injected_tokens,
             coalesce(sum(g.tokens) FILTER (WHERE g.purpose = 'session_start'), 0) AS start_tokens,
             (SELECT coalesce(sum(tokens), 0) FROM source) AS source_tokens,
             coalesce(sum(cardinality(g.item_ids)), 0) AS served_memories,
             (SELECT count(*) FROM memory_uses u JOIN given c ON c.id = u.context_id WHERE u.weight > 0) AS used_memories,
             (SELECT count(*) FROM memory_uses u JOIN given c ON c.id = u.context_id WHERE u.kind = 'wrong') AS wrong_memories
        FROM given g`,
    values: [scope.userId, scope.since, scope.until],
  });
  const [found] = z.tuple([returnRow]).parse(rows);
  return found;
}
