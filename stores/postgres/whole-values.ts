import { z } from 'zod';
import type { TenantTransaction } from './database.ts';

/** Hashes of the whole values that rows were cut from, as the notes in them say (domain/capture/well-formed.ts). Null: of the whole session. */
export async function wholeValuesOf(
  transaction: TenantTransaction,
  sessionId: string,
  seqs: readonly number[] | null,
): Promise<string[]> {
  const rows = await transaction.$queryRaw`
    SELECT DISTINCT note[1] AS sha256
      FROM (SELECT content || coalesce(input::text, '') AS said FROM observations
             WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[]))
            UNION ALL
            SELECT content FROM prompts
             WHERE session_id = ${sessionId}::uuid AND (${seqs}::integer[] IS NULL OR seq = ANY (${seqs}::integer[]))) AS row
     CROSS JOIN LATERAL regexp_matches(row.said, 'bytes in all \\(sha256:([0-9a-f]{64})\\), the middle is left out', 'g') AS note`;
  return z
    .array(z.object({ sha256: z.string() }))
    .parse(rows)
    .map((row) => row.sha256);
}
