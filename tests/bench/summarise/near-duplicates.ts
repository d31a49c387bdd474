import { z } from 'zod';
import { comparedText, cosine, NEAR_DUPLICATE, normalisedText } from '../../../domain/learning/compare.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database } from '../../../stores/postgres/connection/database.ts';

const learningRow = z.object({
  id: z.string(),
  project: z.string(),
  title: z.string(),
  description: z.string(),
});

export interface NearDuplicates {
  /** Current learnings. */
  readonly learnings: number;
  /** Pairs of one project with a cosine of at least 0.95, or with the same normalised text. */
  readonly pairs: number;
  /** Learnings that duplicate an earlier one of their project. */
  readonly duplicates: number;
  /** `duplicates` ÷ `learnings`; 0 without learnings. */
  readonly share: number;
  /** The pairs, for review: both titles and the cosine. */
  readonly found: readonly { readonly left: string; readonly right: string; readonly cosine: number }[];
}

const BATCH = 32;

/** Counts near-duplicates among the current learnings of a tenant by new embeddings. */
export async function measureNearDuplicates(
  database: Database,
  tenantId: TenantId,
  embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
): Promise<NearDuplicates> {
  const rows = await database.asTenant(tenantId, async (transaction) =>
    z.array(learningRow).parse(
      await transaction.$queryRaw`
        SELECT id, coalesce(project_id::text, '') || ' ' || namespace AS project, title, description FROM learnings WHERE valid_to IS NULL ORDER BY id`,
    ),
  );
  const vectors: Float32Array[] = [];
  for (let from = 0; from < rows.length; from += BATCH)
    vectors.push(...(await embed(rows.slice(from, from + BATCH).map(comparedText))));
  const found: { left: string; right: string; cosine: number }[] = [];
  const duplicates = new Set<string>();
  for (const [index, right] of rows.entries()) {
    for (const [place, left] of rows.slice(0, index).entries()) {
      if (left.project !== right.project) continue;
      const similarity = cosine(vectors[place] ?? null, vectors[index] ?? null) ?? 0;
      if (similarity < NEAR_DUPLICATE && normalisedText(left.description) !== normalisedText(right.description))
        continue;
      duplicates.add(right.id);
      found.push({ left: left.title, right: right.title, cosine: similarity });
    }
  }
  return {
    learnings: rows.length,
    pairs: found.length,
    duplicates: duplicates.size,
    share: rows.length === 0 ? 0 : duplicates.size / rows.length,
    found,
  };
}
