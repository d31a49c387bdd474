import { BudgetExhausted, QuotaTooSmall, waitForNextDay } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { BatchView, ModelBatches, PreparedCall, TopicSummaryDraft } from '../../domain/ports/model.ts';
import {
  batchSessions,
  beginSubmit,
  finishCall,
  markEnded,
  markSending,
  markSent,
  readAssigned,
  readBatch,
  unclaimedBatches,
} from '../../stores/postgres/usage/model-batches.ts';
import type { AssignedCall, StoredBatch } from '../../stores/postgres/usage/model-batches.ts';
import type { BatchRef, SubmitResult } from '../../workflows/model-batch/types.ts';
import { isPermanent, parkedReason } from '../failures.ts';
import { readWindowWork } from './window-work.ts';
import type { BatchDependencies } from './window-work.ts';
import { claimOf, reserveBudget, summariseStored, summariseLocally } from './window-answers.ts';
import { reportProgress } from '../heartbeat.ts';

/** Calls prepared in parallel: the provider counts each one's tokens. */
const AT_ONCE = 8;
/** Errors after which no batch exists. */
const REFUSALS: ReadonlySet<string> = new Set(['rate_limited', 'overloaded', 'unauthorised', 'invalid_request']);
/** Tolerance for the provider's clock. */
const CLOCK_SKEW_MS = 120_000;

/** Returns the id of a call in its batch. */
export function customIdOf({ sessionId, windowN }: Pick<AssignedCall, 'sessionId' | 'windowN'>): string {
  return `${sessionId}_${String(windowN)}`;
}

type Prepared =
  | { readonly kind: 'send'; readonly customId: string; readonly call: PreparedCall<TopicSummaryDraft> }
  /** Summarised without the provider, parked, or no longer there. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'over_day'; readonly assigned: AssignedCall; readonly resetsInMs: number };

/**
 * Sends a batch: closes it for further windows, prepares its calls, reserves budget for each and submits them. A resumed attempt first looks
 * for an unconfirmed batch at the provider. @throws BudgetExhausted if no call has budget left today; ModelError if the provider is
 * unavailable
 */
export async function submitBatch(
  dependencies: BatchDependencies,
  batches: ModelBatches,
  ref: BatchRef,
  signal: AbortSignal,
): Promise<SubmitResult> {
  const { database } = dependencies;
  const tenantId = asId<TenantId>(ref.tenantId);
  const before = await database.asTenant(tenantId, (transaction) => readBatch(transaction, ref.batchId));
  if (before === null) return { calls: 0, sessionIds: [] };
  // The result of an earlier attempt was lost: its sessions are hinted now.
  const finished = () =>
    database.asTenant(tenantId, (transaction) => batchSessions(transaction, ref.batchId, 'finished'));
  if (before.state === 'ended') return { calls: 0, sessionIds: await finished() };
  if (before.state === 'sent') return { calls: before.calls, sessionIds: await finished() };
  if (before.state === 'gathering')
    await database.asTenant(tenantId, (transaction) => beginSubmit(transaction, tenantId, ref.batchId));
  const lost = await findUnconfirmed(dependencies, batches, tenantId, before, signal);
  if (lost !== null) {
    await database.asTenant(tenantId, (transaction) => markSent(transaction, ref.batchId, lost.batchId, lost.calls));
    return { calls: lost.calls, sessionIds: await finished() };
  }

  const prepared = await prepareAll(dependencies, ref, signal);
  const sending = prepared.flatMap((each) => (each.kind === 'send' ? [each] : []));
  const over = prepared.flatMap((each) => (each.kind === 'over_day' ? [each] : []));
  const [firstOver] = over;
  // Without any budget the batch waits. With some, those calls are sent and the others are queued again.
  if (sending.length === 0 && firstOver !== undefined)
    throw new BudgetExhausted(waitForNextDay(firstOver.resetsInMs, ref.batchId));
  const sessionIds = await database.asTenant(tenantId, async (transaction) => {
    for (const { assigned } of over) await finishCall(transaction, ref.batchId, assigned, 'requeued');
    if (sending.length === 0) await markEnded(transaction, ref.batchId);
    else await markSending(transaction, ref.batchId, sending.length);
    return batchSessions(transaction, ref.batchId, 'finished');
  });
  if (sending.length === 0) return { calls: 0, sessionIds };
  const { batchId } = await batches.submit(sending, signal).catch(async (error: unknown) => {
    // A rejected batch does not exist: the next attempt must not take another one for it.
    if (error instanceof ModelError && REFUSALS.has(error.kind))
      await database.asTenant(tenantId, (transaction) => markSending(transaction, ref.batchId, 0));
    throw error;
  });
  await database.asTenant(tenantId, (transaction) => markSent(transaction, ref.batchId, batchId, sending.length));
  return { calls: sending.length, sessionIds };
}

/** Finds a batch that an earlier attempt sent without confirmation; null if there is none. */
export async function findUnconfirmed(
  { database }: BatchDependencies,
  batches: ModelBatches,
  tenantId: TenantId,
  { state, calls, updatedAt }: StoredBatch,
  signal: AbortSignal,
): Promise<BatchView | null> {
  if (state !== 'submitting' || calls === 0) return null;
  const made = await batches.since(updatedAt.getTime() - CLOCK_SKEW_MS, signal);
  const alike = made.filter((view) => view.calls === calls);
  if (alike.length === 0) return null;
  const unclaimed = await database.asTenant(tenantId, (transaction) =>
    unclaimedBatches(
      transaction,
      alike.map((view) => view.batchId),
    ),
  );
  // The oldest: later ones belong to other tenants. If it is another's after all, its results match no call, and the windows are queued again.
  return alike.findLast((view) => unclaimed.includes(view.batchId)) ?? null;
}

async function prepareAll(dependencies: BatchDependencies, ref: BatchRef, signal: AbortSignal): Promise<Prepared[]> {
  const assigned = await dependencies.database.asTenant(asId(ref.tenantId), (transaction) =>
    readAssigned(transaction, ref.batchId),
  );
  const prepared: Prepared[] = [];
  for (let from = 0; from < assigned.length; from += AT_ONCE) {
    reportProgress(signal);
    const some = assigned.slice(from, from + AT_ONCE);
    prepared.push(...(await Promise.all(some.map((call) => prepare(dependencies, ref, call, signal)))));
  }
  return prepared;
}

async function prepare(
  dependencies: BatchDependencies,
  ref: BatchRef,
  assigned: AssignedCall,
  signal: AbortSignal,
): Promise<Prepared> {
  const { database, model } = dependencies;
  const tenantId = asId<TenantId>(ref.tenantId);
  const { sessionId, windowN } = assigned;
  const settled = { kind: 'settled' } as const;
  const work = await readWindowWork(dependencies, { tenantId, sessionId }, windowN);
  if (work === null) {
    await database.asTenant(tenantId, (transaction) => finishCall(transaction, ref.batchId, assigned, 'requeued'));
    return settled;
  }
  const claim = claimOf(ref.batchId, assigned);
  try {
    const call = await model.prepareWindow(work.input, signal);
    if (await summariseStored(dependencies, work, call, claim)) return settled;
    const budget = await reserveBudget(dependencies, ref.batchId, assigned, call, work.facts.forgotten);
    if (budget === null) return { kind: 'send', customId: customIdOf(assigned), call };
    if (await summariseLocally(dependencies, work, claim, signal)) return settled;
    return { kind: 'over_day', assigned, ...budget };
  } catch (error) {
    if (error instanceof QuotaTooSmall && (await summariseLocally(dependencies, work, claim, signal))) return settled;
    if (!(error instanceof ModelError) || !isPermanent(error)) throw error;
    await database.asTenant(tenantId, (transaction) =>
      finishCall(transaction, ref.batchId, assigned, 'parked', parkedReason(error)),
    );
    return settled;
  }
}
