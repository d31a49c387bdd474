import { z } from 'zod';
import { readIn } from '../connection/database.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { CONTRADICTED } from './learnings.ts';

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

const successorRow = rowOf({ id: z.string(), is_contradiction: z.boolean(), is_version: z.boolean() });

/**
 * Returns the current learning that took the place of a closed one; null if there is none. `isContradiction`: it, or one in between, contradicted its
 * predecessor. `isVersion`: it is a later version of the same learning, not another one.
 */
export async function successorOf(
  transaction: TenantTransaction,
  id: string,
): Promise<z.output<typeof successorRow> | null> {
  const rows = await transaction.$queryRaw`
    WITH RECURSIVE later AS (
      SELECT l.id, l.superseded_by, l.valid_to, l.reason, false AS is_contradiction, true AS is_version, 1 AS depth FROM learnings l WHERE l.id = ${id}::uuid
      UNION ALL
      SELECT l.id, l.superseded_by, l.valid_to, l.reason, later.is_contradiction OR coalesce(later.reason = ${CONTRADICTED}, false),
             later.is_version AND coalesce(l.previous_id = later.id, false), later.depth + 1
        FROM later JOIN learnings l ON l.id = later.superseded_by WHERE later.valid_to IS NOT NULL AND later.depth < ${MAX_VERSIONS})
    SELECT id, is_contradiction, is_version FROM later WHERE valid_to IS NULL`;
  return z.array(successorRow).parse(rows)[0] ?? null;
}
