import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { timedQueries, tookTooLong } from '../connection/tenant-scope.ts';
import { SUGGESTION_KINDS } from '../../../domain/search-names.ts';

export interface Suggestion {
  readonly text: string;
  readonly kind: (typeof SUGGESTION_KINDS)[number];
  /** Mentions of an entity or a file, at most 1,000; memories with such a title or tag. */
  readonly count: number;
}

const suggestionRow = z.object({ text: z.string(), kind: z.enum(SUGGESTION_KINDS), count: z.number() });

export interface SuggestionQuery {
  /** User whose private learnings are included; undefined: an admin, who reads all. */
  readonly viewerId: string | undefined;
  readonly typed: string;
  readonly limit: number;
  readonly projectId?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Time limit of a completion. */
const SUGGEST_MS = 500;

/**
 * Returns the best completions of a typed text from names that the viewer may see: entities, files, titles and tags of summaries and
 * learnings; [] if so many match that it takes longer than half a second.
 */
export async function suggestTexts(
  pool: pg.Pool,
  tenantId: TenantId,
  { viewerId, typed, limit, projectId, namespace }: SuggestionQuery,
): Promise<Suggestion[]> {
  try {
    const { rows } = await timedQueries(pool, SUGGEST_MS).query({
      name: 'suggest_texts',
      text: 'SELECT text, kind, count FROM suggest_texts($1, $2, $3, $4, $5, $6)',
      values: [tenantId, viewerId ?? null, typed, projectId ?? null, namespace ?? null, limit],
    });
    return z.array(suggestionRow).parse(rows);
  } catch (error) {
    if (tookTooLong(error)) return [];
    throw error;
  }
}
