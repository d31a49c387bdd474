import { ModelBusy, QuotaTooSmall } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ModelUsage, PreparedCall, ModelRequest, TopicSummaryDraft } from '../../domain/ports/model.ts';
import { raiseBudgetAlert, reserveCall, settleCall } from '../../stores/postgres/usage/budgets.ts';
import { finishCall, holdReservation, takeReservation } from '../../stores/postgres/usage/model-batches.ts';
import type { AssignedCall } from '../../stores/postgres/usage/model-batches.ts';
import { bookUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import { bookHit, cacheQuestion, findCachedResponse, keepForQuestion } from '../model-calls/answer-cache.ts';
import { callModel } from '../model-call.ts';
import { writeWindowTopic } from './window-work.ts';
import type { ClaimWindow, WindowWork } from './window-work.ts';
import type { BatchDependencies } from './dependencies.ts';

/** A provider has a day for a batch; what is held for its calls lives somewhat longer. */
const RESERVED_MS = 26 * 3_600_000;

/** Takes a call of a batch as summarised, with its window. */
export function claimOf(batchId: string, call: AssignedCall): ClaimWindow {
  return (transaction) => finishCall(transaction, batchId, call, 'summarised');
}

/** Writes an answer that was paid for before; false where there is none. */
export async function summariseStored(
  dependencies: BatchDependencies,
  work: WindowWork,
  call: PreparedCall<TopicSummaryDraft>,
  claim: ClaimWindow,
): Promise<boolean> {
  const { database, modelCalls } = dependencies;
  const { cache } = modelCalls.limits;
  if (cache.days === 0) return false;
  const started = performance.now();
  const question = cacheQuestion(call, work.near, cache);
  const hit = await findCachedResponse(database, work.owner, call, question, work.near, cache);
  if (hit === null) return false;
  const usage = await bookHit(database, work.owner, hit.kept, Math.round(performance.now() - started));
  await writeWindowTopic(dependencies, work, hit.output, [usage], claim);
  return true;
}

/** Holds budget for a call until its batch is over; null where there was some, else when the user's day ends. @throws QuotaTooSmall; ModelBusy never for batches */
export async function holdBudget(
  { database, modelCalls }: BatchDependencies,
  batchId: string,
  assigned: AssignedCall,
  call: PreparedCall<unknown>,
  forgotten: number,
): Promise<{ readonly resetsInMs: number } | null> {
  // Of an attempt before this one.
  if (assigned.reservationId !== null) return null;
  const tokens = call.inputTokens + call.maxTokensOut;
  const outcome = await reserveCall(
    database.pool,
    {
      tenantId: asId<TenantId>(assigned.tenantId),
      userId: assigned.userId,
      tokens,
      batch: true,
      lifeMs: RESERVED_MS,
    },
    modelCalls.limits,
  );
  if (outcome.kind === 'over_day') return { resetsInMs: outcome.resetsInMs };
  if (outcome.kind === 'over_quota') throw new QuotaTooSmall(tokens, outcome.quotaTokens);
  if (outcome.kind === 'busy') throw new ModelBusy();
  await database.asTenant(asId(assigned.tenantId), (transaction) =>
    holdReservation(transaction, batchId, assigned, { reservationId: outcome.id, forgotten }),
  );
  return null;
}

/** Lets the local model do it where the settings say so; false where they do not. */
export async function summariseLocally(
  dependencies: BatchDependencies,
  work: WindowWork,
  claim: ClaimWindow,
  signal: AbortSignal,
): Promise<boolean> {
  const { fallback } = dependencies.modelCalls;
  if (fallback === null) return false;
  const call = await fallback.prepareWindow(work.input, signal);
  const { output, usage } = await callModel(dependencies.modelCalls, work.owner, call, signal);
  await writeWindowTopic(dependencies, work, output, usage, claim);
  return true;
}

/**
 * Books a call that a batch answered, ends what was held for it, and keeps the answer where it can be read. A call for which nothing is held
 * any more was booked by an attempt before.
 */
export async function bookBatched(
  { database, modelCalls }: BatchDependencies,
  batchId: string,
  call: AssignedCall,
  usage: ModelUsage,
  kept: { readonly question: ModelRequest<TopicSummaryDraft>; readonly text: string; readonly work: WindowWork } | null,
): Promise<void> {
  const { reservationId } = call;
  if (reservationId === null) return;
  const { limits, onBudgetAlert } = modelCalls;
  const tenantId = asId<TenantId>(call.tenantId);
  const { userId, sessionId } = call;
  const owner = { tenantId, userId, sessionId, operation: 'summarise_window' } as const;
  const alert = await database.asTenant(tenantId, async (transaction) => {
    if (!(await takeReservation(transaction, batchId, call))) return null;
    await bookUsage(transaction, owner, [usage]);
    if (kept !== null) {
      const question = cacheQuestion(kept.question, kept.work.near, limits.cache);
      const given = { text: kept.text, usage };
      const { forgotten } = kept.work.facts;
      await keepForQuestion(transaction, owner, question, given, { days: limits.cache.days, forgotten });
    }
    const day = await settleCall(transaction, userId, [reservationId], usage.inputTokens + usage.outputTokens, limits);
    return raiseBudgetAlert(transaction, owner, day, limits.alertShare);
  });
  if (alert !== null) onBudgetAlert?.(alert);
}
