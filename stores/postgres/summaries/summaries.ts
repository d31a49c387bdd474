import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { ITEM_KINDS } from '../../../domain/ports/model.ts';
import type {
  CitedText,
  Evidence,
  SessionSummaryDraft,
  StoredItem,
  StoredTopic,
  TopicSummaryDraft,
} from '../../../domain/ports/model.ts';
import type { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { requestRemoval } from '../embeddings/embedding-removal.ts';

const evidenceSchema = z.array(z.object({ rowId: z.string(), quote: z.string() }));
const citedSchema = z.array(z.object({ text: z.string(), evidence: evidenceSchema }));

/** Reads cited texts back from JSON that this module wrote. */
export function parseCited(value: unknown): CitedText[] {
  return citedSchema.parse(value);
}

/** Reads evidence back from JSON that this module wrote. */
export function parseEvidence(value: unknown): Evidence[] {
  return evidenceSchema.parse(value);
}

function jsonOf(values: readonly (CitedText | Evidence)[]): Prisma.InputJsonValue {
  return values.map((value) =>
    'text' in value
      ? { text: value.text, evidence: value.evidence.map((piece) => ({ ...piece })) }
      : { rowId: value.rowId, quote: value.quote },
  );
}

/** Values that all summaries of one model call share. */
export interface SummaryContext {
  readonly tenantId: TenantId;
  readonly sessionId: string;
  readonly projectId: string | null;
  readonly userId: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  /** Claims of the response without a quote in a row. */
  readonly claimsDropped: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly occurredAt: Date;
  readonly filesRead: readonly string[];
  readonly filesModified: readonly string[];
}

/** A summary as search indexes it. */
export interface WrittenSummary {
  readonly id: string;
  readonly title: string;
  /** With its key points. */
  readonly content: string;
}

function common(context: SummaryContext, slot: string) {
  const { filesRead, filesModified, ...rest } = context;
  return { ...rest, slot, filesRead: [...filesRead], filesModified: [...filesModified] };
}

/** Writes a window's topic summary and its items under slots of that window, so that writing them again changes nothing. */
export async function writeTopic(
  transaction: TenantTransaction,
  context: SummaryContext,
  windowN: number,
  topic: TopicSummaryDraft,
): Promise<WrittenSummary[]> {
  const summary = {
    ...common(context, `topic:${windowN}`),
    id: newId(),
    type: 'topic',
    windowN,
    title: topic.title,
    content: topic.content,
    keyPoints: jsonOf(topic.keyPoints),
    actionItems: jsonOf(topic.actionItems),
    evidence: jsonOf(topic.keyPoints.flatMap((point) => point.evidence)),
    tags: [],
  };
  const items = topic.items.map((item, index) => ({
    ...common(context, `item:${windowN}:${index}`),
    // The call was paid for once: its tokens stand with the topic.
    inputTokens: 0,
    outputTokens: 0,
    costUsd: 0,
    claimsDropped: 0,
    id: newId(),
    type: 'item',
    kind: item.kind,
    windowN,
    title: item.title,
    content: item.content,
    tags: [...item.tags],
    importance: item.importance,
    evidence: jsonOf(item.evidence),
  }));
  return createMissing(transaction, [summary, ...items]);
}

/**
 * Writes the summary of a session as far as `context.toSeq`; a later run of the session writes another version beside it, and those
 * before it leave the vector index.
 */
export async function writeSessionSummary(
  transaction: TenantTransaction,
  context: SummaryContext,
  draft: SessionSummaryDraft,
): Promise<WrittenSummary[]> {
  const earlier = await transaction.summary.count({ where: { sessionId: context.sessionId, type: 'session' } });
  const existing = await transaction.summary.findFirst({
    where: { sessionId: context.sessionId, type: 'session', toSeq: context.toSeq },
    orderBy: { version: 'desc' },
    select: { createdAt: true },
  });
  // Another attempt was faster.
  if (existing !== null && !(await hasTopicSince(transaction, context.sessionId, existing.createdAt))) return [];
  const superseded = await transaction.summary.updateManyAndReturn({
    where: { sessionId: context.sessionId, type: 'session', published: true, toSeq: { lte: context.toSeq } },
    data: { published: false },
    select: { id: true },
  });
  await requestRemoval(
    transaction,
    superseded.map((summary) => summary.id),
  );
  const { keyPoints, actionItems, ...fields } = draft;
  const content = [draft.request, draft.investigated, draft.learned, draft.completed, draft.nextSteps, draft.notes]
    .filter((text) => text !== '')
    .join('\n');
  return createMissing(transaction, [
    {
      // A second one of the same rows: a window of them was summarised since.
      ...common(context, existing === null ? `session:${context.toSeq}` : `session:${context.toSeq}:${earlier + 1}`),
      ...fields,
      id: newId(),
      type: 'session',
      content,
      version: earlier + 1,
      importance: 0.8,
      keyPoints: jsonOf(keyPoints),
      actionItems: jsonOf(actionItems),
      evidence: jsonOf([...keyPoints, ...actionItems].flatMap((point) => point.evidence)),
      tags: [],
    },
  ]);
}

/** Text of a summary as it is indexed and searched: its content, then its key points. */
function summaryText(content: string, keyPoints: unknown): string {
  return [content, ...parseCited(keyPoints).map((point) => point.text)].join('\n');
}

async function createMissing(
  transaction: TenantTransaction,
  rows: Prisma.SummaryCreateManyInput[],
): Promise<WrittenSummary[]> {
  const created = await transaction.summary.createManyAndReturn({
    data: rows,
    skipDuplicates: true,
    select: { id: true, title: true, content: true, keyPoints: true },
  });
  return created.map(({ keyPoints, ...summary }) => ({ ...summary, content: summaryText(summary.content, keyPoints) }));
}

/** Returns the current session summary and its last position; null if there is none. */
export function findSessionSummary(
  transaction: TenantTransaction,
  sessionId: string,
): Promise<{ readonly id: string; readonly toSeq: number; readonly createdAt: Date } | null> {
  return transaction.summary.findFirst({
    where: { sessionId, type: 'session' },
    orderBy: [{ toSeq: 'desc' }, { version: 'desc' }],
    select: { id: true, toSeq: true, createdAt: true },
  });
}

/** Returns true if a window was summarised after that time: a session summary of that time does not contain it. */
export async function hasTopicSince(transaction: TenantTransaction, sessionId: string, since: Date): Promise<boolean> {
  const topic = await transaction.summary.findFirst({
    where: { sessionId, type: 'topic', createdAt: { gt: since } },
    select: { id: true },
  });
  return topic !== null;
}

/** Topics and items of a session in order, as the session summary and the learnings are made from. */
export async function readTopicsAndItems(
  transaction: TenantTransaction,
  sessionId: string,
): Promise<{ topics: StoredTopic[]; items: StoredItem[] }> {
  const rows = await transaction.summary.findMany({
    where: { sessionId, type: { in: ['topic', 'item'] } },
    orderBy: [{ windowN: 'asc' }, { id: 'asc' }],
    select: {
      id: true,
      type: true,
      kind: true,
      title: true,
      content: true,
      keyPoints: true,
      actionItems: true,
      evidence: true,
      tags: true,
      importance: true,
    },
  });
  return {
    topics: rows
      .filter((row) => row.type === 'topic')
      .map((row) => ({
        id: row.id,
        title: row.title,
        content: row.content,
        keyPoints: parseCited(row.keyPoints),
        actionItems: parseCited(row.actionItems),
      })),
    items: rows
      .filter((row) => row.type === 'item')
      .map((row) => ({
        id: row.id,
        // An import stores kinds of another memory verbatim; models get 'discovery' instead.
        kind: z.enum(ITEM_KINDS).catch('discovery').parse(row.kind),
        title: row.title,
        content: row.content,
        tags: row.tags,
        importance: row.importance,
        evidence: parseEvidence(row.evidence),
      })),
  };
}
