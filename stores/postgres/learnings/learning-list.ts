import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { EVIDENCE_FORGOTTEN } from '../erasure/forgotten.ts';
import { idsOf, inOrder, nextOf, rowOf } from '../connection/rows.ts';
import type { Page, PageSlice } from '../connection/rows.ts';
import { literal } from '../projects/projects.ts';
import { hiddenAmong, isNotRestricted } from '../erasure/restricted.ts';
import type { Visibility } from '../../../domain/learning/visibility.ts';
import type { LEARNING_SORTS } from '../../../domain/search-names.ts';

/** Reason of a learning that a user deleted: its row remains, and no list shows it. */
export const DELETED = 'deleted';
/** Learnings closed for these reasons are not shown. */
export const HIDDEN = [DELETED, EVIDENCE_FORGOTTEN];
/** In SQL, of learnings called `l`: shown somewhere, now or as of a time. */
export const IS_SHOWN = `(l.reason IS NULL OR l.reason NOT IN (${HIDDEN.map((reason) => `'${reason}'`).join(', ')}))`;

/** True for a reason that hides a learning. */
export function hides(reason: string): boolean {
  return HIDDEN.includes(reason);
}

/** Quotes that a list shows of one learning, and that its own page does. */
const LISTED_EVIDENCE = 20;
const SHOWN_EVIDENCE = 200;

const LEARNING_COLUMNS = {
  id: true,
  sessionId: true,
  userId: true,
  namespace: true,
  category: true,
  title: true,
  description: true,
  context: true,
  examples: true,
  tags: true,
  confidence: true,
  useCount: true,
  useWeight: true,
  lastUsedAt: true,
  verifiedBy: true,
  verifiedAt: true,
  verifyNote: true,
  validFrom: true,
  validTo: true,
  supersededBy: true,
  reason: true,
  version: true,
  previousId: true,
  closedBy: true,
  reopenReason: true,
  disputes: true,
  origin: true,
  visibility: true,
  createdAt: true,
  project: { select: { id: true, displayName: true } },
} satisfies Prisma.LearningSelect;

const EVIDENCE = {
  select: { sessionId: true, rowId: true, quote: true, weight: true },
  orderBy: { createdAt: 'asc' },
} as const;
const LISTED_COLUMNS = { ...LEARNING_COLUMNS, evidence: { ...EVIDENCE, take: LISTED_EVIDENCE } };
const SHOWN_COLUMNS = { ...LEARNING_COLUMNS, evidence: { ...EVIDENCE, take: SHOWN_EVIDENCE } };

type LearningRow = Prisma.LearningGetPayload<{ select: typeof LISTED_COLUMNS }>;

/** Evidence; the quote is null for a row of another user. */
type ShownEvidence = Omit<LearningRow['evidence'][number], 'quote'> & { readonly quote: string | null };

export type StoredLearning = Omit<LearningRow, 'evidence'> & { readonly evidence: readonly ShownEvidence[] };

export interface LearningFilter {
  readonly sessionId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly namespace?: string | undefined;
  readonly category?: string | undefined;
  readonly tag?: string | undefined;
  readonly verified?: boolean | undefined;
  readonly visibility?: Visibility | undefined;
  /** Words, or a piece of a word, of the title or the description. */
  readonly q?: string | undefined;
  /** Learnings that were current at that time, instead of now. */
  readonly asOf?: Date | undefined;
  /** Includes closed learnings. */
  readonly includeClosed?: boolean | undefined;
}

export type LearningSort = (typeof LEARNING_SORTS)[number];

/** Position in a list of learnings: after the row with this value of the sort column and this id. */
export interface LearningPlace {
  readonly value: number;
  readonly id: string;
}

const listedRow = z.object({ id: z.string().nullable(), value: z.number().nullable(), total: z.number().nullable() });

/**
 * A page of learnings, how many there are (null behind a position), and where the next page begins. Without `asOf` and `includeClosed`: those that hold now. Quotes of other users'
 * sessions than `viewerId`'s are withheld; undefined: an admin, who reads all.
 */
export async function listLearnings(
  transaction: TenantTransaction,
  filter: LearningFilter,
  sort: LearningSort,
  { after, page, limit }: PageSlice<LearningPlace>,
  viewerId: string | undefined,
): Promise<Page<StoredLearning, LearningPlace>> {
  const { sessionId = null, projectId = null, namespace = null, category = null, tag = null } = filter;
  const { verified = null, visibility = null, q = null, asOf = null, includeClosed = false } = filter;
  const like = q === null ? null : `%${literal(q)}%`;
  const found = z.array(listedRow).parse(
    await transaction.$queryRaw`
      WITH matching AS (
        SELECT l.id, (CASE ${sort}::text WHEN 'confidence' THEN l.confidence WHEN 'popularity' THEN l.use_count ELSE 0 END)::real AS value
          FROM learnings l
         WHERE (${includeClosed} OR CASE WHEN ${asOf}::timestamptz IS NULL THEN l.valid_to IS NULL
                                         ELSE l.valid_from <= ${asOf}::timestamptz AND (l.valid_to IS NULL OR l.valid_to > ${asOf}::timestamptz) END)
           AND (l.reason IS NULL OR l.reason <> ALL (${HIDDEN}::text[])) AND ${Prisma.raw(isNotRestricted('l.session_id', 'l.user_id'))}
           AND (${projectId}::uuid IS NULL OR l.project_id = ${projectId}::uuid)
           AND (${namespace}::text IS NULL OR l.namespace = ${namespace})
           AND (${category}::text IS NULL OR l.category = ${category})
           AND (${tag}::text IS NULL OR ${tag} = ANY (l.tags))
           AND (${verified}::boolean IS NULL OR (l.verified_at IS NOT NULL) = ${verified}::boolean)
           AND (${visibility}::text IS NULL OR l.visibility = ${visibility})
           AND (${sessionId}::uuid IS NULL OR EXISTS (SELECT FROM learning_evidence e WHERE e.learning_id = l.id AND e.session_id = ${sessionId}::uuid))
           AND (${q}::text IS NULL OR l.search @@ websearch_to_tsquery('english', ${q}) OR l.title ILIKE ${like} OR l.description ILIKE ${like})
      )
      SELECT listed.id, listed.value, counted.total
        FROM (SELECT CASE WHEN ${after === null} THEN (SELECT count(*)::integer FROM matching) END AS total) AS counted
        LEFT JOIN (SELECT id, value FROM matching
                    WHERE ${after === null} OR (value, id) < (${after?.value ?? 0}::real, ${after?.id ?? null}::uuid)
                    ORDER BY value DESC, id DESC LIMIT ${limit + 1} OFFSET ${after === null ? (page - 1) * limit : 0}) AS listed ON true
       ORDER BY listed.value DESC, listed.id DESC`,
  );
  const places = found.flatMap(({ id, value }) => (id === null || value === null ? [] : [{ id, value }]));
  const { shown, next } = nextOf(places, limit);
  const rows = await transaction.learning.findMany({
    where: { id: { in: shown.map((row) => row.id) } },
    select: LISTED_COLUMNS,
  });
  return {
    rows: await withoutRestricted(transaction, inOrder(shown, rows), viewerId),
    total: found[0]?.total ?? null,
    next,
  };
}

/** The learnings without the evidence of sessions that are hidden for now, and without quotes that are not the viewer's to read. */
async function withoutRestricted(
  transaction: TenantTransaction,
  rows: readonly LearningRow[],
  viewerId: string | undefined,
): Promise<StoredLearning[]> {
  const quoted = [...new Set(rows.flatMap(({ evidence }) => evidence.map(({ sessionId }) => sessionId)))];
  const hidden = await hiddenAmong(transaction, quoted);
  const own = viewerId === undefined ? null : await ownAmong(transaction, quoted, viewerId);
  return rows.map((row) => ({
    ...row,
    evidence: row.evidence
      .filter(({ sessionId }) => !hidden.has(sessionId))
      .map((piece) => (own === null || own.has(piece.sessionId) ? piece : { ...piece, quote: null })),
  }));
}

async function ownAmong(
  transaction: TenantTransaction,
  sessionIds: readonly string[],
  userId: string,
): Promise<ReadonlySet<string>> {
  if (sessionIds.length === 0) return new Set();
  const rows = await transaction.session.findMany({
    where: { id: { in: [...sessionIds] }, userId },
    select: { id: true },
  });
  return new Set(rows.map(({ id }) => id));
}

/** Returns a learning by its id, closed or not; null if it is missing, deleted or restricted. Quotes as in {@link listLearnings}. */
export async function readLearning(
  transaction: TenantTransaction,
  id: string,
  viewerId: string | undefined,
): Promise<StoredLearning | null> {
  const found = idsOf(
    await transaction.$queryRaw`
      SELECT l.id FROM learnings l WHERE l.id = ${id}::uuid AND ${Prisma.raw(IS_SHOWN)} AND ${Prisma.raw(isNotRestricted('l.session_id', 'l.user_id'))}`,
  );
  if (found.length === 0) return null;
  const row = await transaction.learning.findUnique({ where: { id }, select: SHOWN_COLUMNS });
  return row === null ? null : ((await withoutRestricted(transaction, [row], viewerId))[0] ?? null);
}

/** Users do not create longer chains. */
const MAX_VERSIONS = 100;

const versionRow = rowOf({
  id: z.string(),
  version: z.number(),
  title: z.string(),
  description: z.string(),
  valid_from: z.date(),
  valid_to: z.date().nullable(),
  reason: z.string().nullable(),
  reopen_reason: z.string().nullable(),
});

/** One version of a learning. */
export type LearningVersion = z.output<typeof versionRow>;

/** Every version of a learning, the oldest first: those that it replaced, itself, and those that replaced it. */
export async function readVersions(transaction: TenantTransaction, id: string): Promise<LearningVersion[]> {
  const rows = await transaction.$queryRaw`
    WITH RECURSIVE older AS (
      SELECT l.id, l.previous_id, 1 AS depth FROM learnings l WHERE l.id = ${id}::uuid
      UNION ALL
      SELECT l.id, l.previous_id, older.depth + 1 FROM older JOIN learnings l ON l.id = older.previous_id WHERE older.depth < ${MAX_VERSIONS}
    ), newer AS (
      SELECT l.id, 1 AS depth FROM learnings l WHERE l.previous_id = ${id}::uuid
      UNION ALL
      SELECT l.id, newer.depth + 1 FROM newer JOIN learnings l ON l.previous_id = newer.id WHERE newer.depth < ${MAX_VERSIONS}
    )
    SELECT id, version, title, description, valid_from, valid_to, reason, reopen_reason FROM learnings
     WHERE id IN (SELECT id FROM older UNION SELECT id FROM newer) AND (reason IS NULL OR reason <> ALL (${HIDDEN}::text[]))
       AND ${Prisma.raw(isNotRestricted('session_id', 'user_id'))}
     ORDER BY version, id`;
  return z.array(versionRow).parse(rows);
}
