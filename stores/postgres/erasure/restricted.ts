import { z } from 'zod';
import type { Prisma } from '../../../prisma/generated/client.ts';
import { columnOf } from '../connection/rows.ts';

/**
 * Returns the SQL condition that neither a row's session (or null) nor its owner is restricted, given their columns. A statement reads the restrictions once,
 * by their own index, so that rows are still found by their own; mostly there are none, and a row costs two empty comparisons. Restricted rows are not deleted.
 */
export function isNotRestricted(session: string, owner: string): string {
  return `${isSessionNotRestricted(session)} AND NOT (ARRAY[${owner}] && ARRAY(SELECT hu.id FROM users hu WHERE hu.restricted_until > now()))`;
}

/** The same for counts of many rows: a statement evaluates once whether anything is restricted, and mostly compares no row. */
export function isNotRestrictedAmongMany(session: string, owner: string): string {
  return `((SELECT NOT EXISTS (SELECT FROM users hu WHERE hu.restricted_until > now()) AND NOT EXISTS (SELECT FROM sessions hs WHERE hs.restricted_until > now()))
      OR (${isNotRestricted(session, owner)}))`;
}

/**
 * Compares by overlapping arrays, which PostgreSQL estimates to match almost nothing. For `<> ALL` it estimates that every row of a user or session is
 * excluded, and scans tables instead of reading an index in order. No session (null) overlaps nothing.
 */
function isSessionNotRestricted(session: string): string {
  return `NOT (ARRAY[${session}] && ARRAY(SELECT hs.id FROM sessions hs WHERE hs.restricted_until > now()))`;
}

/** The same for rows with a session column only, which is never null: the owner is looked up if any user is restricted. */
export function isOfShownSession(session: string): string {
  return `(${isSessionNotRestricted(session)} AND (NOT EXISTS (SELECT FROM users hu WHERE hu.restricted_until > now())
      OR NOT EXISTS (SELECT FROM sessions hs JOIN users hu ON hu.id = hs.user_id AND hu.restricted_until > now() WHERE hs.id = ${session})))`;
}

/** For a name or relation of the graph: true if an unrestricted source mentions it, or none does. Usually nothing is restricted, and nothing is read. */
export function isMentionedVisibly(evidence: string, column: string, id: string): string {
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

/** Returns whether any session or user is restricted now; mostly there is none. */
export async function isAnythingRestricted(transaction: Pick<Prisma.TransactionClient, '$queryRaw'>): Promise<boolean> {
  const rows = await transaction.$queryRaw`
    SELECT EXISTS (SELECT FROM users WHERE restricted_until > now()) OR EXISTS (SELECT FROM sessions WHERE restricted_until > now()) AS restricted`;
  return columnOf(rows, 'restricted', z.boolean()).includes(true);
}

/** Ids of the sessions that are hidden now for themselves, not with their owner. */
export async function restrictedSessions(transaction: Pick<Prisma.TransactionClient, 'session'>): Promise<string[]> {
  const rows = await transaction.session.findMany({
    where: { restrictedUntil: { gt: new Date() } },
    select: { id: true },
  });
  return rows.map(({ id }) => id);
}

/** Returns those of these sessions that are restricted now, themselves or by their owner. */
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
