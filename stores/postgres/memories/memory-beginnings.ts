import { z } from 'zod';
import type { TenantRead } from '../connection/database.ts';
import { idsByType } from './memories.ts';
import type { MemoryRef } from './memories.ts';

const BEGINNINGS = `
    SELECT o.id, left(o.title || ' ' || o.content, $5::integer) AS text FROM observations o WHERE o.id = ANY ($1::uuid[])
    UNION ALL SELECT q.id, left(q.content, $5::integer) FROM prompts q WHERE q.id = ANY ($2::uuid[])
    UNION ALL SELECT m.id, left(m.title || ' ' || m.content, $5::integer) FROM summaries m WHERE m.id = ANY ($3::uuid[])
    UNION ALL SELECT l.id, left(l.title || ' ' || l.description, $5::integer) FROM learnings l WHERE l.id = ANY ($4::uuid[])`;

/** Returns the start of each memory by id: enough to detect equal texts, or for a reranker. */
export async function readBeginnings(
  read: TenantRead,
  refs: readonly MemoryRef[],
  characters: number,
): Promise<ReadonlyMap<string, string>> {
  const rows = await read({ name: 'read_beginnings', text: BEGINNINGS, values: [...idsByType(refs), characters] });
  return new Map(
    z
      .array(z.object({ id: z.string(), text: z.string() }))
      .parse(rows)
      .map((row) => [row.id, row.text]),
  );
}
