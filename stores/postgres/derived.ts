import type { Prisma } from '../../prisma/generated/client.ts';
import type { TenantTransaction } from './database.ts';

const SUMMARY_COLUMNS = {
  id: true,
  sessionId: true,
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
  tokensIn: true,
  tokensOut: true,
  costUsd: true,
  version: true,
  published: true,
  fromSeq: true,
  toSeq: true,
  occurredAt: true,
  createdAt: true,
} satisfies Prisma.SummarySelect;

export type StoredSummary = Prisma.SummaryGetPayload<{ select: typeof SUMMARY_COLUMNS }>;

/** Everything a model wrote of a session: the session's own summaries first, then topics and items in order. */
export async function readSummaries(transaction: TenantTransaction, sessionId: string): Promise<StoredSummary[]> {
  const rows = await transaction.summary.findMany({
    where: { sessionId },
    orderBy: [{ fromSeq: 'asc' }, { id: 'asc' }],
    select: SUMMARY_COLUMNS,
  });
  const own = rows.filter((row) => row.type === 'session').sort((a, b) => b.version - a.version);
  return [...own, ...rows.filter((row) => row.type !== 'session')];
}

const LEARNING_COLUMNS = {
  id: true,
  sessionId: true,
  category: true,
  title: true,
  description: true,
  context: true,
  examples: true,
  tags: true,
  confidence: true,
  useCount: true,
  verifiedAt: true,
  validFrom: true,
  validTo: true,
  supersededBy: true,
  reason: true,
  createdAt: true,
  project: { select: { id: true, displayName: true } },
  evidence: {
    select: { sessionId: true, rowId: true, quote: true, weight: true },
    orderBy: { createdAt: 'asc' },
    take: 20,
  },
} satisfies Prisma.LearningSelect;

export type StoredLearning = Prisma.LearningGetPayload<{ select: typeof LEARNING_COLUMNS }>;

export interface LearningFilter {
  readonly sessionId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly category?: string | undefined;
  readonly tag?: string | undefined;
}

/** How a list of learnings can be sorted. */
export const LEARNING_SORTS = {
  confidence: { confidence: 'desc' },
  recency: { id: 'desc' },
  popularity: { useCount: 'desc' },
} as const;

/** A page of learnings that hold today, and how many there are. */
export async function listLearnings(
  transaction: TenantTransaction,
  filter: LearningFilter,
  sort: keyof typeof LEARNING_SORTS,
  page: number,
  limit: number,
): Promise<{ rows: StoredLearning[]; total: number }> {
  const where: Prisma.LearningWhereInput = {
    validTo: null,
    ...(filter.sessionId === undefined ? {} : { evidence: { some: { sessionId: filter.sessionId } } }),
    ...(filter.projectId === undefined ? {} : { projectId: filter.projectId }),
    ...(filter.category === undefined ? {} : { category: filter.category }),
    ...(filter.tag === undefined ? {} : { tags: { has: filter.tag } }),
  };
  const rows = await transaction.learning.findMany({
    where,
    orderBy: [LEARNING_SORTS[sort], { id: 'desc' }],
    skip: (page - 1) * limit,
    take: limit,
    select: LEARNING_COLUMNS,
  });
  return { rows, total: await transaction.learning.count({ where }) };
}
