import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';
import type { RecallFilter, RecallHit } from '../../domain/ports/vector-index.ts';

const hitRow = z.object({ memory_id: z.string(), memory_type: z.enum(MEMORY_TYPES), score: z.number() });

/** Keyword search by PostgreSQL alone, best first: what answers while the vector index is away. */
export async function searchKeyword(
  pool: pg.Pool,
  tenantId: TenantId,
  question: string,
  filter: RecallFilter,
  limit: number,
): Promise<RecallHit[]> {
  const result = await pool.query({
    name: 'search_keyword',
    text: 'SELECT memory_id, memory_type, score FROM search_keyword($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
    values: [
      tenantId,
      filter.viewerId ?? null,
      question,
      filter.types ?? null,
      filter.projectId ?? null,
      filter.sessionId ?? null,
      filter.namespace ?? null,
      filter.kind ?? null,
      filter.tool ?? null,
      filter.tags ?? null,
      filter.since ?? null,
      filter.until ?? null,
      limit,
    ],
  });
  return z
    .array(hitRow)
    .parse(result.rows)
    .map((row) => ({ memoryId: row.memory_id, memoryType: row.memory_type, chunk: 0, score: row.score }));
}
