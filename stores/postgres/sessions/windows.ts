import type { TenantTransaction } from '../connection/database.ts';

export interface StoredWindow {
  readonly n: number;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly attempts: number;
}

/** Returns the earliest pending window of a session; null if there is none. */
export async function nextPendingWindow(
  transaction: TenantTransaction,
  sessionId: string,
): Promise<StoredWindow | null> {
  return transaction.window.findFirst({
    where: { sessionId, state: 'pending' },
    orderBy: { n: 'asc' },
    select: { n: true, fromSeq: true, toSeq: true, attempts: true },
  });
}

export interface FoundWindow extends StoredWindow {
  readonly state: string;
}

/** Null if the window is missing or its session deleted. */
export function findWindow(transaction: TenantTransaction, sessionId: string, n: number): Promise<FoundWindow | null> {
  return transaction.window.findFirst({
    where: { sessionId, n, session: { status: { not: 'deleted' } } },
    select: { n: true, fromSeq: true, toSeq: true, attempts: true, state: true },
  });
}

export interface WindowCounts {
  readonly pending: number;
  /** In a provider batch. */
  readonly batched: number;
  readonly summarised: number;
  readonly parked: number;
}

export async function countWindows(transaction: TenantTransaction, sessionId: string): Promise<WindowCounts> {
  const groups = await transaction.window.groupBy({ by: ['state'], where: { sessionId }, _count: true });
  const of = (state: string) => groups.find((group) => group.state === state)?._count ?? 0;
  return { pending: of('pending'), batched: of('batched'), summarised: of('summarised'), parked: of('parked') };
}

/**
 * Takes a window that waits as summarised. False when another attempt at it was faster: what that one wrote stands, and nothing of
 * this one may be written beside it.
 */
export async function claimSummarised(transaction: TenantTransaction, sessionId: string, n: number): Promise<boolean> {
  const claimed = await transaction.window.updateMany({
    where: { sessionId, n, state: 'pending' },
    data: { state: 'summarised', error: null, attempts: { increment: 1 }, updatedAt: new Date() },
  });
  if (claimed.count === 0) return false;
  await learnAgain(transaction, sessionId);
  return true;
}

/**
 * A window that is summarised after its session was learned from (it was parked, or lay in a provider batch) is to be learned from, too.
 * Touches no row in all other cases: captures wait for whoever locks their session.
 */
export async function learnAgain(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.session.updateMany({ where: { id: sessionId, learnedSeq: { gt: 0 } }, data: { learnedSeq: 0 } });
}

/** Sets a window aside with the reason; its rows stay where they are, and `requeueParked` tries it again. */
export async function markParked(
  transaction: TenantTransaction,
  sessionId: string,
  n: number,
  reason: string,
): Promise<void> {
  await transaction.window.update({
    where: { sessionId_n: { sessionId, n } },
    data: { state: 'parked', error: reason.slice(0, 500), attempts: { increment: 1 }, updatedAt: new Date() },
  });
}

/** Gives parked windows that were tried fewer than `maxAttempts` times another turn; answers how many. */
export async function requeueParked(
  transaction: TenantTransaction,
  sessionId: string,
  maxAttempts: number,
): Promise<number> {
  const moved = await transaction.window.updateMany({
    where: { sessionId, state: 'parked', attempts: { lt: maxAttempts } },
    data: { state: 'pending', updatedAt: new Date() },
  });
  return moved.count;
}

/** Retries every parked window; returns their number. */
export async function restartParked(transaction: TenantTransaction, sessionId: string): Promise<number> {
  const moved = await transaction.window.updateMany({
    where: { sessionId, state: 'parked' },
    data: { state: 'pending', attempts: 0, updatedAt: new Date() },
  });
  return moved.count;
}
