import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { RecallFilter, RecallHit } from '../../../domain/ports/vector-index.ts';
import { VALUE_FILTERS } from '../../../domain/search-names.ts';
import { rowOf } from '../connection/rows.ts';
import type { Queries } from '../connection/tenant-scope.ts';

const hitRow = rowOf({
  memory_id: z.string(),
  memory_type: z.enum(MEMORY_TYPES),
  score: z.number(),
  session_id: z.string().nullable(),
  kind: z.string(),
  tool: z.string().nullable(),
});

async function hitsOf(
  queries: Queries,
  name: 'search_keyword' | 'search_unindexed',
  values: unknown[],
): Promise<RecallHit[]> {
  const parameters = values.map((_, place) => `$${place + 1}`).join(', ');
  const text = `SELECT memory_id, memory_type, score, session_id, kind, tool FROM ${name}(${parameters})`;
  const { rows } = await queries.query({ name, text, values });
  return z.array(hitRow).parse(rows);
}

/** Parameters of both functions from a filter, in their order. */
function valuesOf(filter: RecallFilter): unknown[] {
  return [
    filter.types ?? null,
    filter.projectId ?? null,
    filter.sessionId ?? null,
    filter.excludeSessionId ?? null,
    filter.namespace ?? null,
    ...VALUE_FILTERS.map((name) => filter[name] ?? null),
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
  const { phrases = [], files = [] } = filter;
  return hitsOf(queries, 'search_keyword', [
    tenantId,
    filter.viewerId ?? null,
    question,
    ...valuesOf(filter),
    phrases.length === 0 ? null : phrases,
    files.length === 0 ? null : files,
    limit,
  ]);
}

/** A query prepared for comparison with unindexed texts. */
export interface UnindexedWords {
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
  question: UnindexedWords,
  filter: RecallFilter,
  limit: number,
): Promise<RecallHit[]> {
  return hitsOf(queries, 'search_unindexed', [
    tenantId,
    filter.viewerId ?? null,
    model,
    question.words,
    question.pairs,
    ...valuesOf(filter),
    limit,
  ]);
}
