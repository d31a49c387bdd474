import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';

/** Of a row `r`, the texts that are long enough to contain a note; null for others, which are not read. In SQL. */
export const LONG_TEXT_SQL = {
  observation: `CASE WHEN octet_length(r.content) > 16384 OR pg_column_size(r.input) > 500 THEN r.content || coalesce(r.input::text, '') END`,
  prompt: 'CASE WHEN octet_length(r.content) > 16384 THEN r.content END',
} as const;

/** The notes of full values in a text, in SQL: rows whose first element is the SHA-256. */
export function fullValueNotesSql(body: string): string {
  return String.raw`regexp_matches(${body}, 'bytes in all \(sha256:([0-9a-f]{64})\), the middle is left out', 'g')`;
}

/** Returns the SHA-256 of the full values of truncated rows (domain/capture/well-formed.ts). Null: of the full session. */
export async function fullValuesOf(
  transaction: TenantTransaction,
  sessionId: string,
  seqs: readonly number[] | null,
): Promise<string[]> {
  const rows = await transaction.$queryRawUnsafe(
    `SELECT DISTINCT note[1] AS sha256
      FROM (SELECT content || coalesce(input::text, '') AS body FROM observations
             WHERE session_id = $1::uuid AND ($2::integer[] IS NULL OR seq = ANY ($2::integer[]))
            UNION ALL
            SELECT content FROM prompts
             WHERE session_id = $1::uuid AND ($2::integer[] IS NULL OR seq = ANY ($2::integer[]))) AS row
     CROSS JOIN LATERAL ${fullValueNotesSql('row.body')} AS note`,
    sessionId,
    seqs,
  );
  return z
    .array(z.object({ sha256: z.string() }))
    .parse(rows)
    .map((row) => row.sha256);
}
