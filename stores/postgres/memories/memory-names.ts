import { z } from 'zod';
import { idEnding, MEMORY_HASH } from '../../../domain/memory.ts';
import type { TenantRead } from '../connection/database.ts';

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
