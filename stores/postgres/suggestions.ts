import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';

export const SUGGESTION_KINDS = ['entity', 'title', 'tag', 'file'] as const;

export interface Suggestion {
  readonly text: string;
  readonly kind: (typeof SUGGESTION_KINDS)[number];
  /** Mentions of an entity or a file, at most 1,000; memories with such a title or tag. */
  readonly count: number;
}

const suggestionRow = z.object({ text: z.string(), kind: z.enum(SUGGESTION_KINDS), count: z.number() });

/** Completes what was typed from names that the whole tenant may see: entities, files, titles of summaries and learnings, their tags. */
export async function suggestTexts(
  pool: pg.Pool,
  tenantId: TenantId,
  typed: string,
  limit: number,
): Promise<Suggestion[]> {
  const { rows } = await pool.query({
    name: 'suggest_texts',
    text: 'SELECT text, kind, count FROM suggest_texts($1, $2, $3)',
    values: [tenantId, typed, limit],
  });
  return z.array(suggestionRow).parse(rows);
}
