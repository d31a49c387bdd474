import { z } from 'zod';
import { WINDOW_STATES } from '../../../domain/session-states.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { nextOf, rowOf } from '../connection/rows.ts';
import type { Page, PageSlice } from '../connection/rows.ts';

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

const listedWindow = rowOf({
  n: z.number(),
  from_seq: z.number(),
  to_seq: z.number(),
  tokens: z.number(),
  reason: z.string(),
  state: z.enum(WINDOW_STATES),
  attempts: z.number(),
  error: z.string().nullable(),
  summary_ids: z.array(z.string()),
  created_at: z.date(),
  updated_at: z.date(),
});

export type ListedWindow = z.output<typeof listedWindow>;

/** Returns a page of a session's windows in order, and the start of the next page. `after` has precedence over `page`. */
export async function listWindows(
  transaction: TenantTransaction,
  { sessionId, state = null }: { readonly sessionId: string; readonly state?: string | undefined | null },
  { after, page, limit }: PageSlice<{ readonly n: number }>,
): Promise<Page<ListedWindow, { readonly n: number }>> {
  const rows = z.array(listedWindow).parse(
    await transaction.$queryRaw`
      SELECT w.n, w.from_seq, w.to_seq, w.tokens, w.reason, w.state, w.attempts, w.error, w.created_at, w.updated_at,
             coalesce(u.ids, '{}') AS summary_ids
        FROM windows w
        LEFT JOIN (SELECT window_n, array_agg(id ORDER BY id) AS ids FROM summaries WHERE session_id = ${sessionId}::uuid AND published GROUP BY window_n) AS u ON u.window_n = w.n
       WHERE w.session_id = ${sessionId}::uuid AND (${state}::text IS NULL OR w.state = ${state}) AND w.n > ${after?.n ?? -1}::integer
       ORDER BY w.n LIMIT ${limit + 1} OFFSET ${after === null ? (page - 1) * limit : 0}`,
  );
  const { shown, next } = nextOf(rows, limit);
  const counted = { sessionId, ...(state === null ? {} : { state }) };
  const total = after === null ? await transaction.window.count({ where: counted }) : null;
  return { rows: [...shown], total, next: next === null ? null : { n: next.n } };
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
 * Marks a pending window as summarised. Returns false if another attempt was faster: its summary applies, and the caller must not write
 * another one.
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
 * Requests that a session is learned from again, if a window was summarised later (it was parked, or in a provider batch).
 * Changes no row in all other cases: a lock on a session delays its captures.
 */
export async function learnAgain(transaction: TenantTransaction, sessionId: string): Promise<void> {
  await transaction.session.updateMany({ where: { id: sessionId, learnedSeq: { gt: 0 } }, data: { learnedSeq: 0 } });
}

/** Parks a window with the reason; its rows are unchanged, and `requeueParked` retries it. */
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

/** Requeues parked windows that were tried fewer than `maxAttempts` times; returns their number. */
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
