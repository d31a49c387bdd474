import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Prisma } from '../../../prisma/generated/client.ts';
import { releaseCall } from './budgets.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { learnAgain } from '../sessions/windows.ts';
import { columnOf } from '../connection/rows.ts';

const BATCH_COLUMNS = { id: true, n: true, state: true, providerBatchId: true, calls: true, updatedAt: true } as const;

/** A batch and its state; `providerBatchId` is null until the provider accepted it. */
export type StoredBatch = Prisma.ModelBatchGetPayload<{ select: typeof BATCH_COLUMNS }>;

/** A window in a batch that nothing became of yet. */
export interface AssignedCall {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly windowN: number;
  readonly userId: string;
  readonly reservationId: string | null;
  /** `forgottenSoFar` of the session when the call was prepared; null before that. */
  readonly forgotten: number | null;
}

/** The batch that windows joined, and its size. */
export interface Gathered {
  readonly id: string;
  readonly n: number;
  readonly calls: number;
}

/**
 * Adds the session's pending windows to the tenant's gathering batch, and creates it if there is none. Returns null without a pending
 * window. Idempotent.
 */
export async function gatherWindows(
  transaction: TenantTransaction,
  tenantId: TenantId,
  sessionId: string,
): Promise<Gathered | null> {
  const waiting = await transaction.window.count({ where: { sessionId, state: 'pending' } });
  if (waiting === 0) return null;
  // Creating and submitting a batch exclude each other: a window cannot join a batch that is being submitted.
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`model-batch ${tenantId}`}, 0))`;
  const open = await transaction.modelBatch.findFirst({ where: { state: 'gathering' }, select: { id: true, n: true } });
  const batch = open ?? (await createBatch(transaction, tenantId));
  await transaction.$executeRaw`
    WITH moved AS (
      UPDATE windows SET state = 'batched', updated_at = now() WHERE session_id = ${sessionId}::uuid AND state = 'pending' RETURNING session_id, n
    )
    INSERT INTO model_batch_calls (batch_id, session_id, window_n, tenant_id, user_id)
    SELECT ${batch.id}::uuid, moved.session_id, moved.n, ${tenantId}::uuid, s.user_id FROM moved JOIN sessions s ON s.id = moved.session_id
    ON CONFLICT (batch_id, session_id, window_n) DO UPDATE SET state = 'assigned', reservation_id = NULL, updated_at = now()`;
  return { ...batch, calls: await transaction.modelBatchCall.count({ where: { batchId: batch.id } }) };
}

async function createBatch(transaction: TenantTransaction, tenantId: TenantId): Promise<{ id: string; n: number }> {
  const last = await transaction.modelBatch.aggregate({ _max: { n: true } });
  const batch = { id: newId(), n: (last._max.n ?? 0) + 1 };
  await transaction.modelBatch.create({ data: { ...batch, tenantId } });
  return batch;
}

/** Returns the session's newest open batch; null if none of its windows is in one. */
export async function openBatchOf(transaction: TenantTransaction, sessionId: string): Promise<Gathered | null> {
  const call = await transaction.modelBatchCall.findFirst({
    where: { sessionId, state: 'assigned', batch: { state: { not: 'ended' } } },
    orderBy: { batchId: 'desc' },
    select: { batch: { select: { id: true, n: true } } },
  });
  // It is being submitted already.
  return call === null ? null : { ...call.batch, calls: 0 };
}

/** Returns null if the tenant has no such batch. */
export function readBatch(transaction: TenantTransaction, batchId: string): Promise<StoredBatch | null> {
  return transaction.modelBatch.findUnique({
    where: { id: batchId },
    select: BATCH_COLUMNS,
  });
}

/** As {@link readBatch}, by the number of its job; null for an invalid number. */
export async function findBatch(transaction: TenantTransaction, number: string): Promise<StoredBatch | null> {
  const n = /^\d{1,9}$/u.test(number) ? Number(number) : null;
  return n === null ? null : transaction.modelBatch.findFirst({ where: { n }, select: BATCH_COLUMNS });
}

/** Closes a gathering batch; its calls are fixed from now on. A lost response is searched for from this time on. */
export async function beginSubmit(transaction: TenantTransaction, tenantId: TenantId, batchId: string): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`model-batch ${tenantId}`}, 0))`;
  await transaction.modelBatch.updateMany({
    where: { id: batchId, state: 'gathering' },
    data: { state: 'submitting', updatedAt: new Date() },
  });
}

/** Calls of a batch that nothing became of yet, in a fixed order. */
export function readAssigned(transaction: TenantTransaction, batchId: string): Promise<AssignedCall[]> {
  return transaction.modelBatchCall.findMany({
    where: { batchId, state: 'assigned' },
    orderBy: [{ sessionId: 'asc' }, { windowN: 'asc' }],
    select: { tenantId: true, sessionId: true, windowN: true, userId: true, reservationId: true, forgotten: true },
  });
}

/** Returns the sessions with calls in a batch, or with finished calls: hinted again after an interrupted attempt. */
export async function batchSessions(
  transaction: TenantTransaction,
  batchId: string,
  which: 'all' | 'finished',
): Promise<string[]> {
  const rows = await transaction.modelBatchCall.findMany({
    where: { batchId, ...(which === 'all' ? {} : { state: { not: 'assigned' } }) },
    distinct: ['sessionId'],
    select: { sessionId: true },
  });
  return rows.map((row) => row.sessionId);
}

/** Records the budget reserved for a call and the number of the session's tombstones, before the call is sent. */
export async function storeReservation(
  transaction: TenantTransaction,
  batchId: string,
  call: Pick<AssignedCall, 'sessionId' | 'windowN'>,
  reservation: { readonly reservationId: string; readonly forgotten: number },
): Promise<void> {
  await transaction.modelBatchCall.update({
    where: { batchId_sessionId_windowN: { batchId, sessionId: call.sessionId, windowN: call.windowN } },
    data: { ...reservation },
  });
}

/** Claims the reservation of a call for settling. False if another attempt has: the cost is recorded then. */
export async function takeReservation(
  transaction: TenantTransaction,
  batchId: string,
  { sessionId, windowN, reservationId }: Pick<AssignedCall, 'sessionId' | 'windowN' | 'reservationId'>,
): Promise<boolean> {
  if (reservationId === null) return false;
  const taken = await transaction.modelBatchCall.updateMany({
    where: { batchId, sessionId, windowN, reservationId },
    data: { reservationId: null },
  });
  return taken.count === 1;
}

/** Records that so many calls are about to be sent: a later attempt searches for the batch at the provider first. */
export async function markSending(transaction: TenantTransaction, batchId: string, calls: number): Promise<void> {
  await transaction.modelBatch.update({ where: { id: batchId }, data: { calls, updatedAt: new Date() } });
}

/** Stores the provider's id. */
export async function markSent(
  transaction: TenantTransaction,
  batchId: string,
  providerBatchId: string,
  calls: number,
): Promise<void> {
  const at = new Date();
  await transaction.modelBatch.update({
    where: { id: batchId },
    data: { state: 'sent', providerBatchId, calls, sentAt: at, updatedAt: at },
  });
}

/** Shows the sweep that the batch is looked after. */
export async function touchBatch(transaction: TenantTransaction, batchId: string): Promise<void> {
  await transaction.modelBatch.update({ where: { id: batchId }, data: { updatedAt: new Date() } });
}

export async function markEnded(transaction: TenantTransaction, batchId: string): Promise<void> {
  const at = new Date();
  await transaction.modelBatch.update({
    where: { id: batchId },
    data: { state: 'ended', endedAt: at, updatedAt: at },
  });
}

/** Returns those of these batches of the provider account that no tenant has claimed. */
export async function unclaimedBatches(
  transaction: TenantTransaction,
  providerBatchIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await transaction.$queryRaw`
    SELECT unclaimed_model_batches(${[...providerBatchIds]}::text[]) AS unclaimed`;
  return columnOf(rows, 'unclaimed', z.array(z.string()))[0] ?? [];
}

/**
 * Completes a call in this state, ends its reservation, and updates its window if that is still in this batch: `summarised`, `parked` with the
 * reason, or `requeued`, which lets the window wait for another batch. Returns false if another attempt was faster, or if the window was
 * forgotten or added to a later batch meanwhile.
 */
export async function finishCall(
  transaction: TenantTransaction,
  batchId: string,
  call: Pick<AssignedCall, 'sessionId' | 'windowN'>,
  state: 'summarised' | 'parked' | 'requeued',
  reason: string | null = null,
): Promise<boolean> {
  const { sessionId, windowN } = call;
  const mine = await transaction.modelBatchCall.updateManyAndReturn({
    where: { batchId, sessionId, windowN, state: 'assigned' },
    data: { state, updatedAt: new Date() },
    select: { reservationId: true },
  });
  if (mine.length === 0) return false;
  await releaseCall(
    transaction,
    mine.flatMap(({ reservationId }) => reservationId ?? []),
  );
  // An expired or cancelled call was no attempt at the window.
  const moved = await transaction.$executeRaw`
    UPDATE windows w
       SET state = CASE ${state} WHEN 'requeued' THEN 'pending' ELSE ${state} END, error = ${reason?.slice(0, 500) ?? null},
           attempts = attempts + CASE ${state} WHEN 'requeued' THEN 0 ELSE 1 END, updated_at = now()
     WHERE w.session_id = ${sessionId}::uuid AND w.n = ${windowN} AND w.state = 'batched'
       AND NOT EXISTS (SELECT FROM model_batch_calls later
                        WHERE later.session_id = w.session_id AND later.window_n = w.n AND later.batch_id > ${batchId}::uuid AND later.state = 'assigned')`;
  if (moved === 1 && state === 'summarised') await learnAgain(transaction, sessionId);
  return moved === 1;
}
