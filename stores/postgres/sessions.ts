import { z } from 'zod';
import type { Prisma } from '../../prisma/generated/client.ts';
import type { TenantTransaction } from './database.ts';
import { unrestrictedSession } from './restricted.ts';
import { literal } from './projects.ts';
import { writeCapture } from './session-state.ts';
import { readAgents } from './session-timeline.ts';
import type { SessionAgent } from './session-timeline.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A session by its own id, or by `host:external id`. Null when the tenant has none such. */
export async function findSessionId(transaction: TenantTransaction, given: string): Promise<string | null> {
  return (await findOwnedSession(transaction, given))?.id ?? null;
}

/** The same, with whose it is. */
export async function findOwnedSession(
  transaction: TenantTransaction,
  given: string,
  restricted: 'hidden' | 'shown' = 'hidden',
): Promise<{ readonly id: string; readonly userId: string } | null> {
  const colon = given.indexOf(':');
  const where = UUID.test(given)
    ? { id: given }
    : colon > 0
      ? { host: given.slice(0, colon), externalId: given.slice(colon + 1) }
      : { externalId: given };
  return transaction.session.findFirst({
    where: { ...where, status: { not: 'deleted' }, ...(restricted === 'shown' ? {} : unrestrictedSession()) },
    orderBy: { id: 'desc' },
    select: { id: true, userId: true },
  });
}

export interface SessionChange {
  readonly title?: string | undefined;
  readonly capture?: boolean | undefined;
}

/** Changes what people may change of a session. A title that is given stays: a summary writes none over it. */
export async function steerSession(transaction: TenantTransaction, id: string, change: SessionChange): Promise<void> {
  if (change.title !== undefined)
    await transaction.$executeRaw`
      UPDATE sessions SET title = ${change.title}, metadata = metadata || '{"title_given": true}', updated_at = now() WHERE id = ${id}::uuid`;
  if (change.capture !== undefined) await writeCapture(transaction, id, change.capture);
}

const SESSION_COLUMNS = {
  id: true,
  host: true,
  externalId: true,
  namespace: true,
  title: true,
  status: true,
  phase: true,
  waitingReason: true,
  lastError: true,
  model: true,
  tokenCount: true,
  promptCount: true,
  observationCount: true,
  lastSeq: true,
  consumedSeq: true,
  learnedSeq: true,
  infer: true,
  capture: true,
  workflowId: true,
  metadata: true,
  startedAt: true,
  lastEventAt: true,
  endedAt: true,
  project: { select: { id: true, displayName: true, gitRemote: true } },
} satisfies Prisma.SessionSelect;

export type StoredSession = Prisma.SessionGetPayload<{ select: typeof SESSION_COLUMNS }>;

const countsRow = z.object({
  summaries: z.number(),
  learnings: z.number(),
  windows_cut: z.number(),
  windows_parked: z.number(),
  embed_pending: z.number(),
  embed_failed: z.number(),
  session_summaries: z.number(),
});

export interface SessionDetail {
  readonly session: StoredSession;
  readonly counts: {
    readonly summaries: number;
    readonly learnings: number;
    readonly windowsParked: number;
    readonly vectorsFailed: number;
  };
  readonly pending: { readonly summarise: number; readonly learn: number; readonly embed: number };
  readonly agents: readonly SessionAgent[];
}

/** A session with its counts and what is still to be done for it. Null when the tenant has none such. */
export async function readSessionDetail(transaction: TenantTransaction, given: string): Promise<SessionDetail | null> {
  const id = await findSessionId(transaction, given);
  if (id === null) return null;
  const session = await transaction.session.findUniqueOrThrow({ where: { id }, select: SESSION_COLUMNS });
  const rows = await transaction.$queryRaw`
    SELECT (SELECT count(*) FROM summaries WHERE session_id = ${id}::uuid)::integer AS summaries,
           (SELECT count(*) FROM summaries WHERE session_id = ${id}::uuid AND slot = ${`session:${session.consumedSeq}`})::integer AS session_summaries,
           (SELECT count(DISTINCT learning_id) FROM learning_evidence WHERE session_id = ${id}::uuid)::integer AS learnings,
           (SELECT count(*) FROM windows WHERE session_id = ${id}::uuid AND state IN ('cut', 'batched'))::integer AS windows_cut,
           (SELECT count(*) FROM windows WHERE session_id = ${id}::uuid AND state = 'parked')::integer AS windows_parked,
           (SELECT count(*) FROM embeddings e JOIN embedding_indexes i ON i.tenant_id = e.tenant_id AND i.serving_model = e.model WHERE e.session_id = ${id}::uuid AND e.state = 'pending')::integer AS embed_pending,
           (SELECT count(*) FROM embeddings WHERE session_id = ${id}::uuid AND state = 'failed')::integer AS embed_failed`;
  const [counts] = z.array(countsRow).length(1).parse(rows);
  const agents = await readAgents(transaction, id);
  const settled = session.status !== 'active';
  return {
    session,
    counts: {
      summaries: counts?.summaries ?? 0,
      learnings: counts?.learnings ?? 0,
      windowsParked: counts?.windows_parked ?? 0,
      vectorsFailed: counts?.embed_failed ?? 0,
    },
    pending: {
      // Rows that no window holds yet count as one piece of work, like the windows themselves.
      summarise: (counts?.windows_cut ?? 0) + (session.lastSeq > session.consumedSeq ? 1 : 0),
      learn: settled || !session.infer || session.learnedSeq === session.lastSeq ? 0 : 1,
      embed: counts?.embed_pending ?? 0,
    },
    agents,
  };
}

export interface SessionListFilter {
  readonly status?: string | undefined;
  readonly projectId?: string | undefined;
  readonly search?: string | undefined;
}

/** A page of sessions, the newest first, and how many there are. */
export async function listSessions(
  transaction: TenantTransaction,
  filter: SessionListFilter,
  page: number,
  limit: number,
): Promise<{ rows: StoredSession[]; total: number }> {
  const where: Prisma.SessionWhereInput = {
    status: filter.status === undefined ? { not: 'deleted' } : filter.status,
    ...unrestrictedSession(),
    ...(filter.projectId === undefined ? {} : { projectId: filter.projectId }),
    ...(filter.search === undefined ? {} : { title: { contains: literal(filter.search), mode: 'insensitive' } }),
  };
  const rows = await transaction.session.findMany({
    where,
    orderBy: { id: 'desc' },
    skip: (page - 1) * limit,
    take: limit,
    select: SESSION_COLUMNS,
  });
  return { rows, total: await transaction.session.count({ where }) };
}
