import { z } from 'zod';
import { idEnding, MEMORY_HASH } from '../../domain/memory.ts';
import type { TenantRead } from './database.ts';

const endingRow = z.object({ memory_id: z.string(), ending: z.string() });

/**
 * The ids that each name can mean, the names being ids or hashes: an id means itself, a hash every id of the tenant that ends in its bits, in
 * order. Whether they are still there, and for whom, is not asked.
 */
export async function idsNamed(
  read: TenantRead,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const endings = names.filter((name) => MEMORY_HASH.test(name)).map(idEnding);
  const rows =
    endings.length === 0
      ? []
      : z.array(endingRow).parse(
          await read({
            name: 'memories_ending_in',
            text: 'SELECT memory_id, ending FROM memories_ending_in($1::text[]) ORDER BY memory_id',
            values: [endings],
          }),
        );
  return new Map(
    names.map((name) => [
      name,
      MEMORY_HASH.test(name)
        ? rows.filter((row) => row.ending === idEnding(name)).map((row) => row.memory_id)
        : [name.toLowerCase()],
    ]),
  );
}

const standingRow = z.object({ asked: z.string(), id: z.string() });
/** Versions that are followed: a bound, should closed rows ever point in a circle. */
const MAX_VERSIONS = 100;

/**
 * What stands now in the place of closed learnings, by their id; those that nothing stands for are left out. `versions`: only where it is the
 * same memory in other words, not another one that spoke against it.
 */
export async function standingFor(
  read: TenantRead,
  ids: readonly string[],
  follow: 'successors' | 'versions',
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await read({
    name: 'memories_standing_for',
    text: `
      WITH RECURSIVE later AS (
        SELECT l.id AS asked, l.id, l.superseded_by, l.valid_to, 1 AS depth FROM learnings l WHERE l.id = ANY ($1::uuid[])
        UNION ALL
        SELECT later.asked, l.id, l.superseded_by, l.valid_to, later.depth + 1 FROM later JOIN learnings l ON l.id = later.superseded_by
         WHERE later.valid_to IS NOT NULL AND later.depth < ${MAX_VERSIONS} AND ($2::text = 'successors' OR l.previous_id = later.id))
      SELECT asked, id FROM later WHERE valid_to IS NULL`,
    values: [ids, follow],
  });
  return new Map(
    z
      .array(standingRow)
      .parse(rows)
      .map((row) => [row.asked, row.id]),
  );
}
