import { z } from 'zod';
import { readIn } from '../connection/database.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';

const currentRow = z.object({ closed_id: z.string(), id: z.string() });
/** Versions that are followed: a bound, should closed rows ever point in a circle. */
const MAX_VERSIONS = 100;

/**
 * Returns the current successors of closed learnings, by the closed id; learnings without a successor are omitted. `versions`: only later versions
 * of the same memory, not another one that contradicted it.
 */
export async function currentFor(
  read: TenantRead,
  ids: readonly string[],
  follow: 'successors' | 'versions',
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await read({
    name: 'memories_standing_for',
    text: `
      WITH RECURSIVE later AS (
        SELECT l.id AS closed_id, l.id, l.superseded_by, l.valid_to, 1 AS depth FROM learnings l WHERE l.id = ANY ($1::uuid[])
        UNION ALL
        SELECT later.closed_id, l.id, l.superseded_by, l.valid_to, later.depth + 1 FROM later JOIN learnings l ON l.id = later.superseded_by
         WHERE later.valid_to IS NOT NULL AND later.depth < ${MAX_VERSIONS} AND ($2::text = 'successors' OR l.previous_id = later.id))
      SELECT closed_id, id FROM later WHERE valid_to IS NULL`,
    values: [ids, follow],
  });
  return new Map(
    z
      .array(currentRow)
      .parse(rows)
      .map((row) => [row.closed_id, row.id]),
  );
}

/** Returns the learning if it is current, else its successor; null if there is none. */
export async function currentIn(transaction: TenantTransaction, id: string): Promise<string | null> {
  const [current] = (await currentFor(readIn(transaction), [id], 'successors')).values();
  return current ?? null;
}
