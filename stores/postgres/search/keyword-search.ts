import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { RecallFilter, RecallHit } from '../../../domain/ports/vector-index.ts';
import type { Queries } from '../connection/timed-queries.ts';

const COLUMNS = 'memory_id, memory_type, score, session_id, kind, tool';
const hitRow = z.object({
  memory_id: z.string(),
  memory_type: z.enum(MEMORY_TYPES),
  score: z.number(),
  session_id: z.string().nullable(),
  kind: z.string(),
  tool: z.string().nullable(),
});

function hitsOf(rows: unknown): RecallHit[] {
  return z
    .array(hitRow)
    .parse(rows)
    .map((row) => ({
      memoryId: row.memory_id,
      memoryType: row.memory_type,
      sessionId: row.session_id,
      kind: row.kind,
      tool: row.tool,
      chunk: 0,
      score: row.score,
    }));
}

/** Parameters of both functions from a filter, in their order. */
function valuesOf(filter: RecallFilter): unknown[] {
  return [
    filter.types ?? null,
    filter.projectId ?? null,
    filter.sessionId ?? null,
    filter.excludeSessionId ?? null,
    filter.namespace ?? null,
    filter.kind ?? null,
    filter.tool ?? null,
    filter.tags ?? null,
    filter.since ?? null,
    filter.until ?? null,
    filter.asOf ?? null,
  ];
}

/** Keyword search by PostgreSQL, best first: used while the vector index is unavailable, for phrases and for closed learnings. */
export async function searchKeyword(
  queries: Queries,
  tenantId: TenantId,
  question: string,
  filter: RecallFilter,
  limit: number,
): Promise<RecallHit[]> {
  const { phrases, files } = filter;
  const { rows } = await queries.query({
    name: 'search_keyword',
    text: `SELECT ${COLUMNS} FROM search_keyword($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    values: [
      tenantId,
      filter.viewerId ?? null,
      question,
      ...valuesOf(filter),
      phrases === undefined || phrases.length === 0 ? null : phrases,
      files === undefined || files.length === 0 ? null : files,
      limit,
    ],
  });
  return hitsOf(rows);
}

/** A query prepared for comparison with unindexed texts. */
export interface WaitingWords {
  /** Words of scripts with blanks. */
  readonly words: string;
  /** Neighbouring characters of scripts without, lower case. */
  readonly pairs: readonly string[];
}

/** Returns the newest memories that the vector index does not contain yet; the score is the share of the query's words in the memory, 0 to 1. */
export async function searchUnindexed(
  queries: Queries,
  tenantId: TenantId,
  model: string,
  question: WaitingWords,
  filter: RecallFilter,
  limit: number,
): Promise<RecallHit[]> {
  const { rows } = await queries.query({
    name: 'search_unindexed',
    text: `SELECT ${COLUMNS} FROM search_unindexed($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    values: [tenantId, filter.viewerId ?? null, model, question.words, question.pairs, ...valuesOf(filter), limit],
  });
  return hitsOf(rows);
}
