import { z } from 'zod';
import type { TenantRead } from '../connection/database.ts';
import type { MemoryRef } from './memories.ts';
import { purposeOf } from '../../../domain/ranking/indexed-text.ts';
import { DATA_CLASSES } from '../../../domain/data-classes.ts';
import type { DataClass } from '../../../domain/data-classes.ts';
import { idEnding, MEMORY_HASH } from '../../../domain/memory.ts';

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

/** More than a purpose is cut from. */
const READ_CHARS = 512;

const READ_REQUESTS = `
    SELECT m.id, p.id AS request_id, left(p.content, ${READ_CHARS}) AS beginning, p.data_class
      FROM (
        SELECT o.id, o.session_id, o.seq FROM observations o WHERE o.id = ANY ($1::uuid[])
        UNION ALL
        SELECT q.id, q.session_id, q.seq FROM prompts q WHERE q.id = ANY ($2::uuid[]) AND q.type <> 'user'
      ) AS m
     CROSS JOIN LATERAL (SELECT u.id, u.content, u.data_class FROM prompts u WHERE u.session_id = m.session_id AND u.type = 'user' AND u.seq < m.seq
                          ORDER BY u.seq DESC LIMIT 1) AS p`;

const requestRow = z.object({
  id: z.string(),
  request_id: z.string(),
  beginning: z.string(),
  data_class: z.enum(DATA_CLASSES),
});

/** Returns the user's prompt before each of these rows, by the rows' ids: its id, its purpose and its class; none for the user's prompts and derived memories. */
export async function readRequests(
  read: TenantRead,
  refs: readonly MemoryRef[],
): Promise<ReadonlyMap<string, { readonly id: string; readonly purpose: string; readonly dataClass: DataClass }>> {
  const idsOf = (type: MemoryRef['type']) => refs.filter((ref) => ref.type === type).map((ref) => ref.id);
  const rows = await read({
    name: 'read_requests',
    text: READ_REQUESTS,
    values: [idsOf('observation'), idsOf('prompt')],
  });
  return new Map(
    z
      .array(requestRow)
      .parse(rows)
      .map(({ id, request_id: requestId, beginning, data_class: dataClass }) => [
        id,
        { id: requestId, purpose: purposeOf(beginning), dataClass },
      ]),
  );
}
