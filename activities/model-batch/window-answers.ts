import { ModelBusy, QuotaTooSmall } from '../../domain/costs/limits.ts';
import { asId, newId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ModelPort, ModelUsage, PreparedCall, ModelRequest, TopicSummaryDraft } from '../../domain/ports/model.ts';
import { raiseBudgetAlert, reserveCall, settleCall } from '../../stores/postgres/usage/budgets.ts';
import { finishCall, storeReservation, takeReservation } from '../../stores/postgres/usage/model-batches.ts';
import type { AssignedCall } from '../../stores/postgres/usage/model-batches.ts';
import { bookUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import { bookHit, cacheQuestion, findCachedResponse, cacheForRequest } from '../model-calls/answer-cache.ts';
import { callModel } from '../model-call.ts';
import { release } from '../model-calls/paid-call.ts';
import { writeWindowTopic } from './window-work.ts';
import type { ClaimWindow, WindowWork, BatchDependencies } from './window-work.ts';

/** Lifetime of a reservation: a provider has a day for a batch. */
const RESERVED_MS = 26 * 3_600_000;

/** Returns the claim of a batch call and its window. */
export function claimOf(batchId: string, call: AssignedCall): ClaimWindow {
  return (transaction) => finishCall(transaction, batchId, call, 'summarised');
}

/** Writes a cached response; returns false if there is none. */
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
  const usage = await bookHit(database, work.owner, hit.cached, Math.round(performance.now() - started));
  await writeWindowTopic(dependencies, work, hit.output, [usage], claim);
  return true;
}

/** Reserves budget for a call until its batch ends. Returns null, or if exceeded the time until the user's day ends. @throws QuotaTooSmall */
export async function reserveBudget(
  { database, modelCalls }: BatchDependencies,
  batchId: string,
  assigned: AssignedCall,
  call: PreparedCall<unknown>,
  forgotten: number,
): Promise<{ readonly resetsInMs: number } | null> {
  // Reserved by a previous attempt.
  if (assigned.reservationId !== null) return null;
  const tokens = call.inputTokens + call.maxTokensOut;
  const tenantId = asId<TenantId>(assigned.tenantId);
  const { userId } = assigned;
  const id = newId();
  try {
    const reservation = { id, tenantId, userId, tokens, provider: call.provider, batch: true, lifeMs: RESERVED_MS };
    const outcome = await reserveCall(database.pool, reservation, modelCalls.limits);
    if (outcome.kind === 'over_day') return { resetsInMs: outcome.resetsInMs };
    if (outcome.kind === 'over_quota') throw new QuotaTooSmall(tokens, outcome.quotaTokens);
    if (outcome.kind === 'busy') throw new ModelBusy();
    await database.asTenant(tenantId, (transaction) =>
      storeReservation(transaction, batchId, assigned, { reservationId: id, forgotten }),
    );
    return null;
  } catch (error) {
    await release(database, tenantId, id);
    throw error;
  }
}

/** Summarises with the fallback model; returns false if none is configured. */
export async function summariseLocally(
  dependencies: BatchDependencies,
  work: WindowWork,
  claim: ClaimWindow,
  signal: AbortSignal,
): Promise<boolean> {
  const { fallback } = dependencies.modelCalls;
  if (fallback === null) return false;
  const task = { prepare: (model: ModelPort) => model.prepareWindow(work.input, signal) };
  const modelCalls = { ...dependencies.modelCalls, fallback: null };
  const { output, usage } = await callModel(modelCalls, work.owner, [fallback], task, signal);
  await writeWindowTopic(dependencies, work, output, usage, claim);
  return true;
}

/** Records a call's usage, releases its reservation, and caches a readable response. Without a reservation, a previous attempt did. */
export async function bookBatched(
  { database, modelCalls }: BatchDependencies,
  batchId: string,
  call: AssignedCall,
  usage: ModelUsage,
  cached: {
    readonly question: ModelRequest<TopicSummaryDraft>;
    readonly text: string;
    readonly work: WindowWork;
  } | null,
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
    if (cached !== null) {
      const question = cacheQuestion(cached.question, cached.work.near, limits.cache);
      const given = { text: cached.text, usage };
      const { forgotten } = cached.work.facts;
      await cacheForRequest(transaction, owner, question, given, { days: limits.cache.days, forgotten });
    }
    const day = await settleCall(transaction, userId, [reservationId], usage.inputTokens + usage.outputTokens, limits);
    return raiseBudgetAlert(transaction, owner, day, limits.alertShare);
  });
  if (alert !== null) onBudgetAlert?.(alert);
}
