import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import { forgottenSoFar, refuseForgotten } from '../erasure/forgotten.ts';

/** A captured row for quotes. */
export interface QuotedRow {
  readonly id: string;
  readonly sessionId: string;
  readonly content: string;
  readonly occurredAt: Date;
}

const quotedRow = z.object({ id: z.string(), session_id: z.string(), content: z.string(), occurred_at: z.date() });

/**
 * Returns prompts and observations by id, to quote them in this transaction: none of their sessions is forgotten before it ends. Omits deleted rows
 * and those of other users (`viewerId` undefined: an admin). @throws ForgottenMeanwhile
 */
export async function readQuotedRows(
  transaction: TenantTransaction,
  ids: readonly string[],
  viewerId: string | undefined,
): Promise<QuotedRow[]> {
  if (ids.length === 0) return [];
  const viewer = viewerId ?? null;
  const sessions = z.array(z.object({ session_id: z.string() })).parse(
    await transaction.$queryRaw`
      SELECT session_id FROM prompts WHERE id = ANY (${ids}::uuid[]) UNION SELECT session_id FROM observations WHERE id = ANY (${ids}::uuid[]) ORDER BY 1`,
  );
  // In the order of their ids, so that two that quote the same sessions do not wait for each other.
  for (const { session_id: sessionId } of sessions)
    await refuseForgotten(transaction, sessionId, await forgottenSoFar(transaction, sessionId));
  const rows = await transaction.$queryRaw`
    SELECT q.id, q.session_id, q.content, q.occurred_at
      FROM (SELECT id, session_id, user_id, content, occurred_at FROM prompts WHERE id = ANY (${ids}::uuid[])
            UNION ALL SELECT id, session_id, user_id, content, occurred_at FROM observations WHERE id = ANY (${ids}::uuid[])) AS q
      JOIN sessions s ON s.id = q.session_id AND s.status <> 'deleted' AND ${Prisma.raw(isNotRestricted('s.id', 's.user_id'))}
     WHERE ${viewer}::uuid IS NULL OR q.user_id = ${viewer}::uuid`;
  return z
    .array(quotedRow)
    .parse(rows)
    .map((row) => ({ id: row.id, sessionId: row.session_id, content: row.content, occurredAt: row.occurred_at }));
}
