import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type { SESSION_SORTS } from '../../../domain/session-states.ts';
import { idsOf, inOrder, nextOf } from '../connection/rows.ts';
import type { Page, PageSlice } from '../connection/rows.ts';
import { isAnythingRestricted, isNotRestricted, unrestrictedSession } from '../erasure/restricted.ts';
import { literal } from '../projects/projects.ts';
import { writeCapture } from './session-state.ts';
import { readAgents } from './session-timeline.ts';
import type { SessionAgent } from './session-timeline.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The user who names a session. A host's id refers to an own session first; `namesAll`: an admin, who may name other users' sessions by it, too. */
export interface SessionSeeker {
  readonly userId: string;
  readonly namesAll: boolean;
}

/** A host's id names sessions of several users: only Recollect's ids distinguish them. */
export class SessionAmbiguous extends Error {
  override readonly name = 'SessionAmbiguous';
  readonly sessionIds: readonly string[];

  constructor(sessionIds: readonly string[]) {
    super('sessions of several users have this name; use the id of one');
    this.sessionIds = sessionIds;
  }
}

/** Most ids in the error for an ambiguous name. */
const MAX_NAMED = 20;

/** Returns a session by its own id, or by `host:external id` as `seeker` may name it; null if there is none. @throws SessionAmbiguous */
export async function findSessionId(
  transaction: TenantTransaction,
  given: string,
  seeker: SessionSeeker,
): Promise<string | null> {
  return (await findOwnedSession(transaction, given, seeker))?.id ?? null;
}

/** The same, with its owner. @throws SessionAmbiguous */
export async function findOwnedSession(
  transaction: TenantTransaction,
  given: string,
  seeker: SessionSeeker,
  restricted: 'hidden' | 'shown' = 'hidden',
): Promise<{ readonly id: string; readonly userId: string } | null> {
  const find = (where: Prisma.SessionWhereInput, take: number) =>
    transaction.session.findMany({
      where: { ...where, status: { not: 'deleted' }, ...(restricted === 'shown' ? {} : unrestrictedSession()) },
      orderBy: { id: 'desc' },
      select: { id: true, userId: true },
      take,
    });
  if (UUID.test(given)) return (await find({ id: given }, 1))[0] ?? null;
  const colon = given.indexOf(':');
  const name = colon > 0 ? { host: given.slice(0, colon), externalId: given.slice(colon + 1) } : { externalId: given };
  const [own] = await find({ ...name, userId: seeker.userId }, 1);
  if (own !== undefined || !seeker.namesAll) return own ?? null;
  const others = await find(name, MAX_NAMED);
  if (others.length > 1) throw new SessionAmbiguous(others.map(({ id }) => id));
  return others[0] ?? null;
}

export interface SessionChange {
  readonly title?: string | undefined;
  readonly capture?: boolean | undefined;
}

/** Changes the fields of a session that users may change. A title set by a user is not overwritten by a summary. */
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
  userId: true,
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
  boundaries: z.number(),
  summaries: z.number(),
  learnings: z.number(),
  windows_pending: z.number(),
  windows_parked: z.number(),
  embed_pending: z.number(),
  embed_failed: z.number(),
  session_summaries: z.number(),
});

export interface SessionDetail {
  readonly session: StoredSession;
  readonly counts: {
    readonly boundaries: number;
    readonly summaries: number;
    readonly learnings: number;
    readonly windowsParked: number;
    readonly vectorsFailed: number;
  };
  readonly pending: { readonly summarise: number; readonly learn: number; readonly embed: number };
  readonly agents: readonly SessionAgent[];
}

/** Returns a session with its counts and remaining work. @throws Error if the tenant has none with this id */
export async function readSessionDetail(transaction: TenantTransaction, id: string): Promise<SessionDetail> {
  const session = await transaction.session.findUniqueOrThrow({ where: { id }, select: SESSION_COLUMNS });
  const rows = await transaction.$queryRaw`
    SELECT (SELECT count(*) FROM boundaries WHERE session_id = ${id}::uuid)::integer AS boundaries,
           (SELECT count(*) FROM summaries WHERE session_id = ${id}::uuid)::integer AS summaries,
           (SELECT count(*) FROM summaries WHERE session_id = ${id}::uuid AND slot = ${`session:${session.consumedSeq}`})::integer AS session_summaries,
           (SELECT count(DISTINCT learning_id) FROM learning_evidence WHERE session_id = ${id}::uuid)::integer AS learnings,
           (SELECT count(*) FROM windows WHERE session_id = ${id}::uuid AND state IN ('pending', 'batched'))::integer AS windows_pending,
           (SELECT count(*) FROM windows WHERE session_id = ${id}::uuid AND state = 'parked')::integer AS windows_parked,
           (SELECT count(*) FROM embeddings e JOIN embedding_indexes i ON i.tenant_id = e.tenant_id AND i.serving_model = e.model WHERE e.session_id = ${id}::uuid AND e.state = 'pending')::integer AS embed_pending,
           (SELECT count(*) FROM embeddings WHERE session_id = ${id}::uuid AND state = 'failed')::integer AS embed_failed`;
  const [counts] = z.array(countsRow).length(1).parse(rows);
  const agents = await readAgents(transaction, id);
  const settled = session.status !== 'active';
  return {
    session,
    counts: {
      boundaries: counts?.boundaries ?? 0,
      summaries: counts?.summaries ?? 0,
      learnings: counts?.learnings ?? 0,
      windowsParked: counts?.windows_parked ?? 0,
      vectorsFailed: counts?.embed_failed ?? 0,
    },
    pending: {
      // Rows without a window count as one pending window.
      summarise: (counts?.windows_pending ?? 0) + (session.lastSeq > session.consumedSeq ? 1 : 0),
      learn: settled || !session.infer || session.learnedSeq === session.lastSeq ? 0 : 1,
      embed: counts?.embed_pending ?? 0,
    },
    agents,
  };
}

export interface SessionListFilter {
  readonly status?: string | undefined;
  readonly phase?: string | undefined;
  readonly projectId?: string | undefined;
  readonly search?: string | undefined;
}

const SHOWN = Prisma.raw(isNotRestricted('s.id', 's.user_id'));

/** Position in a list of sessions: after the one with this id. */
export interface SessionPlace {
  readonly id: string;
}

const groupRow = z.object({ status: z.string(), phase: z.string(), count: z.number() });
/** A number of sessions that have this status and phase. */
export type SessionGroup = Readonly<z.output<typeof groupRow>>;

/** Conditions of a list whose numbers are shown by status and phase, for sessions called `s`. */
function listedSessions({ projectId, search }: SessionListFilter): Prisma.Sql[] {
  return [
    Prisma.sql`s.tenant_id = (SELECT current_tenant_id()) AND s.status <> 'deleted'`,
    ...(projectId === undefined ? [] : [Prisma.sql`s.project_id = ${projectId}::uuid`]),
    ...(search === undefined ? [] : [Prisma.sql`s.title ILIKE ${`%${literal(search)}%`}`]),
  ];
}

/** Numbers of a list of sessions. */
export interface SessionCounts {
  readonly total: number;
  /** By status and phase, without the filters of these two. */
  readonly groups: readonly SessionGroup[];
}

/** Returns the numbers of a list of sessions. An index has all that it reads, unless there is a search, or a restriction. */
export async function countSessions(transaction: TenantTransaction, filter: SessionListFilter): Promise<SessionCounts> {
  const conditions = [...listedSessions(filter), ...((await isAnythingRestricted(transaction)) ? [SHOWN] : [])];
  const rows = await transaction.$queryRaw`
    SELECT s.status, s.phase, count(*)::integer AS count FROM sessions s WHERE ${Prisma.join(conditions, ' AND ')} GROUP BY s.status, s.phase`;
  const groups = z.array(groupRow).parse(rows);
  const { status, phase } = filter;
  const total = groups
    .filter((group) => (status ?? group.status) === group.status && (phase ?? group.phase) === group.phase)
    .reduce((sum, group) => sum + group.count, 0);
  return { total, groups };
}

/** Returns a page of sessions, and the start of the next page. `after` has precedence over `page`. */
export async function listSessions(
  transaction: TenantTransaction,
  filter: SessionListFilter,
  sort: (typeof SESSION_SORTS)[number],
  { after, page, limit }: PageSlice<SessionPlace>,
): Promise<Omit<Page<StoredSession, SessionPlace>, 'total'>> {
  const { status, phase } = filter;
  const [than, by] = sort === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
  const conditions = [
    ...listedSessions(filter),
    SHOWN,
    ...(status === undefined ? [] : [Prisma.sql`s.status = ${status}`]),
    ...(phase === undefined ? [] : [Prisma.sql`s.phase = ${phase}`]),
    ...(after === null ? [] : [Prisma.sql`s.id ${Prisma.raw(than)} ${after.id}::uuid`]),
  ];
  // Past Prisma: joined with users, as Prisma does, PostgreSQL reads all sessions instead of an index in the order of the list.
  const found = idsOf(
    await transaction.$queryRaw`
      SELECT s.id FROM sessions s WHERE ${Prisma.join(conditions, ' AND ')}
       ORDER BY s.id ${Prisma.raw(by)} LIMIT ${limit + 1} OFFSET ${after === null ? (page - 1) * limit : 0}`,
  ).map((id) => ({ id }));
  const { shown, next } = nextOf(found, limit);
  const rows = await transaction.session.findMany({
    where: { id: { in: shown.map(({ id }) => id) } },
    select: SESSION_COLUMNS,
  });
  return { rows: inOrder(shown, rows), next };
}
