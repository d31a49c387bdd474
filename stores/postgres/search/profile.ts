import { z } from 'zod';
import { COMPARED_BYTES } from '../../../domain/learning/compare.ts';
import type { FocusSource, PreferenceSource } from '../../../domain/profile/profile.ts';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { isNotRestricted, unrestrictedSession } from '../erasure/restricted.ts';
import { parseCited } from '../summaries/summaries.ts';

/** User and project of the profile; null for all projects. */
export interface ProfileScope {
  readonly userId: string;
  readonly projectId: string | null;
}

/** A user as a profile names him. */
export interface ProfileUser {
  readonly id: string;
  readonly username: string;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns a user of the tenant by id or name; null if there is none. */
export function findUser(transaction: TenantTransaction, given: string): Promise<ProfileUser | null> {
  return transaction.user.findFirst({
    where: UUID.test(given) ? { id: given } : { username: given },
    select: { id: true, username: true },
  });
}

/** Categories of preferences rather than events. */
const PREFERRED = ['best_practice', 'general', 'config'];
/** For larger projects the learnings with the highest confidence are read. */
const MAX_LEARNINGS = 500;

const evidenceRow = z.object({
  learning_id: z.string(),
  category: z.string(),
  description: z.string(),
  confidence: z.number(),
  verified: z.boolean(),
  row_id: z.string(),
  session_id: z.string().nullable(),
  quote: z.string(),
  occurred_at: z.date(),
});

/** Returns current learnings that quote the user's own prompts or are the user's memories. One round trip. */
export async function readPreferenceSources(
  transaction: TenantTransaction,
  { userId, projectId }: ProfileScope,
): Promise<PreferenceSource[]> {
  const rows = z.array(evidenceRow).parse(
    await transaction.$queryRaw`
      WITH current_learnings AS (
        SELECT id, category, description, confidence, verified_at IS NOT NULL AS verified, origin = 'user' AND user_id = ${userId}::uuid AS by_hand, valid_from FROM learnings
         WHERE valid_to IS NULL AND ${Prisma.raw(isNotRestricted('session_id', 'user_id'))} AND octet_length(description) <= ${COMPARED_BYTES} AND category = ANY (${PREFERRED}::text[]) AND (${projectId}::uuid IS NULL OR project_id = ${projectId}::uuid)
         ORDER BY confidence DESC, id DESC LIMIT ${MAX_LEARNINGS}
      )
      SELECT l.id AS learning_id, l.category, l.description, l.confidence, l.verified, e.row_id, e.session_id, e.quote, p.occurred_at
        FROM current_learnings l JOIN learning_evidence e ON e.learning_id = l.id
        JOIN prompts p ON p.id = e.row_id AND p.type = 'user' AND p.agent_id IS NULL AND p.user_id = ${userId}::uuid
        JOIN sessions s ON s.id = p.session_id AND s.status <> 'deleted' AND ${Prisma.raw(isNotRestricted('s.id', 's.user_id'))}
      UNION ALL
      SELECT l.id, l.category, l.description, l.confidence, l.verified, l.id, NULL, l.description, l.valid_from FROM current_learnings l WHERE l.by_hand
      ORDER BY learning_id, row_id`,
  );
  const byLearning = Map.groupBy(rows, (row) => row.learning_id);
  return [...byLearning.values()].flatMap((evidence) => {
    const [first] = evidence;
    if (first === undefined) return [];
    return [
      {
        learningId: first.learning_id,
        category: first.category,
        text: first.description,
        confidence: first.confidence,
        verified: first.verified,
        evidence: evidence.map((row) => ({
          rowId: row.row_id,
          sessionId: row.session_id,
          quote: row.quote,
          occurredAt: row.occurred_at,
        })),
      },
    ];
  });
}

/** Sessions that say what a user works on now, at most, and how old they may be. */
const FOCUS_SESSIONS = 5;
const FOCUS_DAYS = 14;
const DAY_MS = 86_400_000;
/** Prompts that are read of each, and how much of each one. */
const FOCUS_PROMPTS = 40;
const PROMPT_CHARS = 2_000;

const promptRow = z.object({ id: z.string(), session_id: z.string(), content: z.string(), occurred_at: z.date() });

/** Returns the current summaries of the user's newest sessions before `now`, with the beginnings of their prompts. Two round trips. */
export async function readFocusSources(
  transaction: TenantTransaction,
  { userId, projectId }: ProfileScope,
  now: Date,
): Promise<FocusSource[]> {
  const summaries = await transaction.summary.findMany({
    where: {
      userId,
      type: 'session',
      published: true,
      occurredAt: { gte: new Date(now.getTime() - FOCUS_DAYS * DAY_MS), lte: now },
      session: { status: { not: 'deleted' }, ...unrestrictedSession() },
      ...(projectId === null ? {} : { projectId }),
    },
    orderBy: [{ occurredAt: 'desc' }, { id: 'desc' }],
    take: FOCUS_SESSIONS,
    select: {
      sessionId: true,
      projectId: true,
      title: true,
      request: true,
      completed: true,
      actionItems: true,
      occurredAt: true,
    },
  });
  const sessionIds = summaries.map((summary) => summary.sessionId);
  const prompts = z.array(promptRow).parse(
    await transaction.$queryRaw`
      SELECT p.id, p.session_id, left(p.content, ${PROMPT_CHARS}) AS content, p.occurred_at
        FROM unnest(${sessionIds}::uuid[]) AS wanted(id)
       CROSS JOIN LATERAL (SELECT * FROM prompts WHERE session_id = wanted.id AND type = 'user' AND agent_id IS NULL AND user_id = ${userId}::uuid ORDER BY seq LIMIT ${FOCUS_PROMPTS}) AS p
       ORDER BY p.session_id, p.seq`,
  );
  const bySession = Map.groupBy(prompts, (prompt) => prompt.session_id);
  return summaries.map((summary) => ({
    sessionId: summary.sessionId,
    projectId: summary.projectId,
    // A model that has nothing to add to the title leaves the request empty.
    request: summary.request === null || summary.request === '' ? summary.title : summary.request,
    completed: summary.completed ?? '',
    actionItems: parseCited(summary.actionItems),
    prompts: (bySession.get(summary.sessionId) ?? []).map((prompt) => ({
      id: prompt.id,
      content: prompt.content,
      occurredAt: prompt.occurred_at,
    })),
    occurredAt: summary.occurredAt,
  }));
}
