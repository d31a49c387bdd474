import { z } from 'zod';
import { idEnding, MEMORY_HASH } from '../../../domain/memory.ts';
import type { TenantRead } from '../connection/database.ts';

const hashRow = z.object({ memory_id: z.string(), hash: z.string() });

/**
 * Returns the possible ids of each name: an id is itself, a hash matches every id of the tenant with these last digits, in order. Does not check that the
 * memories exist or that the caller can read them.
 */
export async function idsNamed(
  read: TenantRead,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const hashes = names.filter((name) => MEMORY_HASH.test(name)).map(idEnding);
  const rows =
    hashes.length === 0
      ? []
      : z.array(hashRow).parse(
          await read({
            name: 'find_memories_by_hash',
            text: 'SELECT memory_id, hash FROM find_memories_by_hash($1::text[]) ORDER BY memory_id',
            values: [hashes],
          }),
        );
  return new Map(
    names.map((name) => [
      name,
      MEMORY_HASH.test(name)
        ? rows.filter((row) => row.hash === idEnding(name)).map((row) => row.memory_id)
        : [name.toLowerCase()],
    ]),
  );
}
