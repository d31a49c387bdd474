import type { TenantRead } from '../connection/database.ts';
import { idsOf } from '../connection/rows.ts';
import { idsByType, LEARNING_CONTENT, SUMMARY_CONTENT } from '../memories/memories.ts';
import type { MemoryRef } from '../memories/memories.ts';

const CONTAINING = `
    SELECT o.id FROM observations o WHERE o.id = ANY ($1::uuid[])
       AND contains_phrases(o.title || ' ' || o.content, $5) AND mentions_files(o.files_read || o.files_modified, o.title || ' ' || o.content, $6)
    UNION ALL
    SELECT q.id FROM prompts q WHERE q.id = ANY ($2::uuid[]) AND contains_phrases(q.content, $5) AND mentions_files('{}', q.content, $6)
    UNION ALL
    SELECT u.id FROM summaries u CROSS JOIN LATERAL (SELECT u.title || ' ' || ${SUMMARY_CONTENT} AS body) AS t WHERE u.id = ANY ($3::uuid[])
       AND contains_phrases(t.body, $5) AND mentions_files(u.files_read || u.files_modified, t.body, $6)
    UNION ALL
    SELECT l.id FROM learnings l CROSS JOIN LATERAL (SELECT l.title || ' ' || ${LEARNING_CONTENT} AS body) AS t WHERE l.id = ANY ($4::uuid[])
       AND contains_phrases(t.body, $5) AND mentions_files('{}', t.body, $6)`;

/** Returns those of the memories that contain every phrase and mention every file: the vector index cannot check this. */
export async function readContaining(
  read: TenantRead,
  refs: readonly MemoryRef[],
  phrases: readonly string[],
  files: readonly string[],
): Promise<ReadonlySet<string>> {
  const values = [...idsByType(refs), phrases.length === 0 ? null : phrases, files.length === 0 ? null : files];
  const rows = await read({ name: 'read_containing', text: CONTAINING, values });
  return new Set(idsOf(rows));
}
