import { z } from 'zod';
import { purposeOf } from '../../../domain/ranking/indexed-text.ts';
import type { TenantRead } from '../connection/database.ts';
import type { MemoryRef } from './memories.ts';

/** More than a purpose is cut from. */
const READ_CHARS = 512;

const READ_PURPOSES = `
    SELECT m.id, (SELECT left(p.content, ${READ_CHARS}) FROM prompts p
                   WHERE p.session_id = m.session_id AND p.type = 'user' AND p.seq < m.seq ORDER BY p.seq DESC LIMIT 1) AS prompt
      FROM (
        SELECT o.id, o.session_id, o.seq FROM observations o WHERE o.id = ANY ($1::uuid[])
        UNION ALL
        SELECT q.id, q.session_id, q.seq FROM prompts q WHERE q.id = ANY ($2::uuid[]) AND q.type <> 'user'
      ) AS m`;

const purposeRow = z.object({ id: z.string(), prompt: z.string().nullable() });

/** Returns the user's prompt before each of these rows, by the rows' ids; none for prompts and derived memories. */
export async function readPurposes(read: TenantRead, refs: readonly MemoryRef[]): Promise<ReadonlyMap<string, string>> {
  const idsOf = (type: MemoryRef['type']) => refs.filter((ref) => ref.type === type).map((ref) => ref.id);
  const rows = await read({
    name: 'read_purposes',
    text: READ_PURPOSES,
    values: [idsOf('observation'), idsOf('prompt')],
  });
  return new Map(
    z
      .array(purposeRow)
      .parse(rows)
      .flatMap(({ id, prompt }) => (prompt === null ? [] : [[id, purposeOf(prompt)] as const])),
  );
}
