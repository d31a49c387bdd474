import { readUseWeights } from './memory-uses.ts';
import { parseCited } from '../summaries/summaries.ts';
import type { CitedText } from '../../../domain/ports/model.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { restrictedUsers, restrictedSessions, unrestrictedSession } from '../erasure/restricted.ts';
import { CORRECTED } from '../learnings/learning-versions.ts';
import { HIDDEN } from '../learnings/learning-list.ts';
import { DUPLICATE, REFINED } from '../learnings/learnings.ts';

export interface ContextScope {
  readonly projectId: string;
  readonly namespace: string;
  /** The requesting session: its own memories are not served to it. */
  readonly excludeSessionId: string | null;
}

export interface ContextSession {
  readonly id: string;
  readonly title: string;
  readonly completed: string;
  readonly learned: string;
  readonly nextSteps: string;
  readonly actionItems: readonly CitedText[];
  readonly occurredAt: Date;
}

export interface ContextLearning {
  readonly id: string;
  readonly category: string;
  readonly title: string;
  readonly description: string;
  readonly confidence: number;
  readonly verified: boolean;
  /** Decayed use weight at the start of the UTC day. */
  readonly useWeight: number;
  readonly validFrom: Date;
}

/** Something that was believed and is not any more. */
export interface ClosedLearning {
  readonly id: string;
  readonly description: string;
  /** Why it was closed, for people. */
  readonly reason: string;
  /** Text of the current learning that replaced it; '' without one. */
  readonly instead: string;
  readonly closedAt: Date;
}

export interface ContextItem {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly content: string;
  readonly importance: number;
  readonly occurredAt: Date;
}

export interface ContextSources {
  readonly sessions: readonly ContextSession[];
  readonly learnings: readonly ContextLearning[];
  readonly closed: readonly ClosedLearning[];
  readonly items: readonly ContextItem[];
}

const MAX_SESSIONS = 3;
const MAX_LEARNINGS = 60;
const MAX_ITEMS = 40;
const MAX_CLOSED = 20;
/** A learning closed for these reasons was not wrong: another one replaces it, or it is not to be shown. */
const NOT_WRONG = [REFINED, DUPLICATE, CORRECTED, ...HIDDEN];
/** Kinds of items that outlive their session's end. */
const LASTING_KINDS = ['decision', 'bugfix', 'discovery', 'security'];

/** The newest session summaries, the surest learnings and the newest lasting items of a project. */
export async function readContextSources(transaction: TenantTransaction, scope: ContextScope): Promise<ContextSources> {
  const session = { namespace: scope.namespace, status: { not: 'deleted' }, ...unrestrictedSession() };
  const people = await restrictedUsers(transaction);
  const sessions = await restrictedSessions(transaction);
  const shown = {
    ...(people.length === 0 ? {} : { userId: { notIn: people } }),
    ...(sessions.length === 0 ? {} : { OR: [{ sessionId: null }, { sessionId: { notIn: sessions } }] }),
  };
  const elsewhere = scope.excludeSessionId === null ? {} : { sessionId: { not: scope.excludeSessionId } };
  const summaries = await transaction.summary.findMany({
    where: { projectId: scope.projectId, type: 'session', published: true, session, ...elsewhere },
    orderBy: { id: 'desc' },
    take: MAX_SESSIONS,
    select: {
      id: true,
      title: true,
      completed: true,
      learned: true,
      nextSteps: true,
      actionItems: true,
      occurredAt: true,
    },
  });
  const learnings = await transaction.learning.findMany({
    where: { projectId: scope.projectId, namespace: scope.namespace, validTo: null, ...shown },
    orderBy: [{ confidence: 'desc' }, { id: 'desc' }],
    take: MAX_LEARNINGS,
    select: {
      id: true,
      category: true,
      title: true,
      description: true,
      confidence: true,
      verifiedAt: true,
      validFrom: true,
    },
  });
  const weights = await readUseWeights(
    transaction,
    learnings.map((learning) => learning.id),
  );
  const items = await transaction.summary.findMany({
    where: {
      projectId: scope.projectId,
      type: 'item',
      kind: { in: LASTING_KINDS },
      published: true,
      session,
      ...elsewhere,
    },
    orderBy: { id: 'desc' },
    take: MAX_ITEMS,
    select: { id: true, kind: true, title: true, content: true, importance: true, occurredAt: true },
  });
  const closed = await transaction.learning.findMany({
    where: {
      projectId: scope.projectId,
      namespace: scope.namespace,
      validTo: { not: null },
      reason: { notIn: NOT_WRONG },
      ...shown,
    },
    orderBy: { id: 'desc' },
    take: MAX_CLOSED,
    select: { id: true, description: true, reason: true, supersededBy: true, validTo: true },
  });
  const reopened =
    closed.length === 0
      ? []
      : await transaction.learning.findMany({
          where: { previousId: { in: closed.map(({ id }) => id) }, reopenReason: { not: null } },
          select: { previousId: true },
        });
  const isTrueAgain = new Set(reopened.map(({ previousId }) => previousId));
  const descriptions = new Map(learnings.map((learning) => [learning.id, learning.description]));
  return {
    sessions: summaries.map((summary) => ({
      ...summary,
      completed: summary.completed ?? '',
      learned: summary.learned ?? '',
      nextSteps: summary.nextSteps ?? '',
      actionItems: parseCited(summary.actionItems),
    })),
    learnings: learnings.map(({ verifiedAt, ...learning }) => ({
      ...learning,
      verified: verifiedAt !== null,
      useWeight: weights.get(learning.id) ?? 0,
    })),
    closed: closed.flatMap(({ validTo, reason, supersededBy, ...learning }) =>
      validTo === null || reason === null || isTrueAgain.has(learning.id)
        ? []
        : [{ ...learning, reason, instead: descriptions.get(supersededBy ?? '') ?? '', closedAt: validTo }],
    ),
    items: items.map((item) => ({ ...item, kind: item.kind ?? 'change' })),
  };
}
