import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { unrestrictedSession, isNotRestricted } from '../erasure/restricted.ts';
import { idsOf, inOrder, nextOf, rowOf } from '../connection/rows.ts';
import type { Page, PageSlice } from '../connection/rows.ts';
import { forgottenSoFar, refuseForgotten } from '../erasure/forgotten.ts';

/** A captured row for quotes. */
const quotedRow = rowOf({ id: z.string(), session_id: z.string(), content: z.string(), occurred_at: z.date() });

/**
 * Returns prompts and observations by id, to quote them in this transaction: none of their sessions is forgotten before it ends. Omits deleted rows
 * and those of other users (`viewerId` undefined: an admin). @throws ForgottenMeanwhile
 */
export async function readQuotedRows(
  transaction: TenantTransaction,
  ids: readonly string[],
  viewerId: string | undefined,
): Promise<z.output<typeof quotedRow>[]> {
  if (ids.length === 0) return [];
  const viewer = viewerId ?? null;
  const sessions = idsOf(
    await transaction.$queryRaw`
      SELECT session_id AS id FROM prompts WHERE id = ANY (${ids}::uuid[]) UNION SELECT session_id FROM observations WHERE id = ANY (${ids}::uuid[]) ORDER BY 1`,
  );
  // In the order of their ids, so that two that quote the same sessions do not wait for each other.
  for (const sessionId of sessions)
    await refuseForgotten(transaction, sessionId, await forgottenSoFar(transaction, sessionId));
  const rows = await transaction.$queryRaw`
    SELECT q.id, q.session_id, q.content, q.occurred_at
      FROM (SELECT id, session_id, user_id, content, occurred_at FROM prompts WHERE id = ANY (${ids}::uuid[])
            UNION ALL SELECT id, session_id, user_id, content, occurred_at FROM observations WHERE id = ANY (${ids}::uuid[])) AS q
      JOIN sessions s ON s.id = q.session_id AND s.status <> 'deleted' AND ${Prisma.raw(isNotRestricted('s.id', 's.user_id'))}
     WHERE ${viewer}::uuid IS NULL OR q.user_id = ${viewer}::uuid`;
  return z.array(quotedRow).parse(rows);
}

const SUMMARY_COLUMNS = {
  id: true,
  sessionId: true,
  userId: true,
  type: true,
  kind: true,
  title: true,
  content: true,
  request: true,
  investigated: true,
  learned: true,
  completed: true,
  nextSteps: true,
  notes: true,
  keyPoints: true,
  actionItems: true,
  evidence: true,
  tags: true,
  filesRead: true,
  filesModified: true,
  model: true,
  inputTokens: true,
  outputTokens: true,
  costUsd: true,
  version: true,
  published: true,
  fromSeq: true,
  toSeq: true,
  occurredAt: true,
  createdAt: true,
} satisfies Prisma.SummarySelect;

export type StoredSummary = Prisma.SummaryGetPayload<{ select: typeof SUMMARY_COLUMNS }>;

export interface SummaryFilter {
  readonly sessionId: string;
  readonly type?: string | undefined;
  readonly kind?: string | undefined;
}

const placeRow = z.object({ group: z.number(), place: z.number(), id: z.string() });
/** Position in a list of summaries: after the row with this group, position and id. */
export type SummaryPlace = Readonly<z.output<typeof placeRow>>;

/**
 * Returns a page of a session's summaries, and the start of the next page: session summaries first, newest version first, then topics and items in order.
 * `after` has precedence over `page`.
 */
export async function listSummaries(
  transaction: TenantTransaction,
  filter: SummaryFilter,
  slice: PageSlice<SummaryPlace>,
): Promise<Page<StoredSummary, SummaryPlace>> {
  const { sessionId, type = null, kind = null } = filter;
  const { after } = slice;
  const found = z.array(placeRow).parse(
    await transaction.$queryRaw`
      SELECT id, list_group AS "group", place FROM (
        SELECT id, (type <> 'session')::integer AS list_group, CASE WHEN type = 'session' THEN -version ELSE from_seq END AS place FROM summaries
         WHERE session_id = ${sessionId}::uuid AND (${type}::text IS NULL OR type = ${type}) AND (${kind}::text IS NULL OR kind = ${kind})
      ) AS listed
       WHERE ${after === null} OR (list_group, place, id) > (${after?.group ?? 0}::integer, ${after?.place ?? 0}::integer, ${after?.id ?? null}::uuid)
       ORDER BY list_group, place, id LIMIT ${slice.limit + 1} OFFSET ${after === null ? (slice.page - 1) * slice.limit : 0}`,
  );
  const { shown, next } = nextOf(found, slice.limit);
  const rows = await transaction.summary.findMany({
    where: { id: { in: shown.map((row) => row.id) } },
    select: SUMMARY_COLUMNS,
  });
  const counted = { sessionId, ...(type === null ? {} : { type }), ...(kind === null ? {} : { kind }) };
  const total = after === null ? await transaction.summary.count({ where: counted }) : null;
  return { rows: inOrder(shown, rows), total, next };
}

/** Returns a summary by its id; null if it is missing or its session was deleted. */
export function readSummary(transaction: TenantTransaction, id: string): Promise<StoredSummary | null> {
  return transaction.summary.findFirst({
    where: { id, session: { status: { not: 'deleted' }, ...unrestrictedSession() } },
    select: SUMMARY_COLUMNS,
  });
}
