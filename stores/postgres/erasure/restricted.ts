import type { Prisma } from '../../../prisma/generated/client.ts';

/**
 * In SQL, of the columns that name a row's session (or null) and its owner: neither is hidden for now. What is hidden is read once a statement, by its own
 * index, so that rows are still entered by theirs; mostly nothing is, and then a row costs two empty comparisons. Hidden things stay where they are and are not deleted.
 */
export function isNotRestricted(session: string, owner: string): string {
  return `${isSessionNotRestricted(session)} AND NOT (ARRAY[${owner}] && ARRAY(SELECT hu.id FROM users hu WHERE hu.restricted_until > now()))`;
}

/**
 * By overlapping arrays, of which PostgreSQL expects next to none: of `<> ALL` it expects every row of a user or a session to go, where there are few of them,
 * and reads tables as a whole for what an index would give in order. No session (null) overlaps nothing.
 */
function isSessionNotRestricted(session: string): string {
  return `NOT (ARRAY[${session}] && ARRAY(SELECT hs.id FROM sessions hs WHERE hs.restricted_until > now()))`;
}

/** The same of rows that name their session alone, which is never null: its owner is looked up where anybody is hidden. */
export function isOfShownSession(session: string): string {
  return `(${isSessionNotRestricted(session)} AND (NOT EXISTS (SELECT FROM users hu WHERE hu.restricted_until > now())
      OR NOT EXISTS (SELECT FROM sessions hs JOIN users hu ON hu.id = hs.user_id AND hu.restricted_until > now() WHERE hs.id = ${session})))`;
}

/** For a name or relation of the graph: true if an unrestricted source mentions it, or none does. Usually nothing is restricted, and nothing is read. */
export function isBorneOut(evidence: string, column: string, id: string): string {
  const its = `SELECT FROM ${evidence} he WHERE he.${column} = ${id}`;
  return `((NOT EXISTS (SELECT FROM users hu WHERE hu.restricted_until > now()) AND NOT EXISTS (SELECT FROM sessions hs WHERE hs.restricted_until > now()))
      OR NOT EXISTS (${its}) OR EXISTS (${its} AND ${isOfShownSession('he.session_id')}))`;
}

/** The same of a session, for Prisma: neither it nor its user is hidden. */
export function unrestrictedSession(): Prisma.SessionWhereInput {
  const now = new Date();
  const isShown = [{ restrictedUntil: null }, { restrictedUntil: { lte: now } }];
  return { AND: [{ OR: isShown }, { user: { OR: isShown } }] };
}

/** Ids of the sessions that are hidden now for themselves, not with their owner. */
export async function restrictedSessions(transaction: Pick<Prisma.TransactionClient, 'session'>): Promise<string[]> {
  const rows = await transaction.session.findMany({
    where: { restrictedUntil: { gt: new Date() } },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Which of these sessions are hidden now, for themselves or with their owner. */
export async function hiddenAmong(
  transaction: Pick<Prisma.TransactionClient, 'session'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction.session.findMany({
    where: { id: { in: [...ids] }, NOT: unrestrictedSession() },
    select: { id: true },
  });
  return new Set(rows.map(({ id }) => id));
}

/** Returns the ids of restricted users; they are few. */
export async function restrictedUsers(transaction: Pick<Prisma.TransactionClient, 'user'>): Promise<string[]> {
  const rows = await transaction.user.findMany({
    where: { restrictedUntil: { gt: new Date() } },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}
