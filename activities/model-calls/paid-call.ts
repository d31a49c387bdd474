import { setTimeout as pause } from 'node:timers/promises';
import { BudgetExhausted, ModelBusy, QuotaTooSmall, waitForNextDay } from '../../domain/costs/limits.ts';
import { newId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import type { ModelProvider, ModelResponse, PreparedCall, ModelUsage } from '../../domain/ports/model.ts';
import { releaseCall, reserveCall, raiseBudgetAlert, settleCall } from '../../stores/postgres/usage/budgets.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import type { ModelLimits } from '../../domain/costs/limits.ts';
import type { BudgetAlert } from '../../stores/postgres/usage/budgets.ts';
import { writeModelBusy } from '../../stores/postgres/sessions/session-state.ts';
import { bookUsage, isBooked, sumUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import { isPassing } from '../failures.ts';
import { sendCall } from './send-call.ts';

export interface SettleDependencies {
  readonly database: Database;
  readonly limits: ModelLimits;
  /** Called once per day and user when usage reaches the alert threshold. */
  readonly onBudgetAlert?: (alert: BudgetAlert) => void;
}

/** Pauses before retries. */
const PAUSES_MS = [250, 1_000, 3_000, 8_000] as const;
/** No retry starts later than this. */
const LONGEST_MS = 30_000;

/** Retries transient database errors. @throws the last error */
async function insist<Result>(attempt: (isFirst: boolean) => Promise<Result>): Promise<Result> {
  const deadline = performance.now() + LONGEST_MS;
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt(failures === 0);
    } catch (error) {
      const pauseMs = PAUSES_MS[failures];
      if (pauseMs === undefined || !isPassing(error) || performance.now() + pauseMs > deadline) throw error;
      await pause(pauseMs);
    }
  }
}

/**
 * Ends the reservation and records the cost in one transaction, together with what `beside` writes. Transient database errors are retried for
 * half a minute, else the response is lost and paid for twice. Cancellation does not interrupt it, since paid usage must be recorded. If the
 * database rejects what `beside` writes, the cost alone is recorded, so that retries are within the budget. @throws the error of `beside` then
 */
export async function settlePaid(
  { database, limits, onBudgetAlert }: SettleDependencies,
  owner: UsageOwner,
  reservation: string,
  usage: readonly ModelUsage[],
  beside: (transaction: TenantTransaction) => Promise<void>,
): Promise<void> {
  const { inputTokens, outputTokens } = sumUsage(usage);
  const ids = usage.map(() => newId());
  const rejected: Error[] = [];
  const settle = () =>
    insist((isFirst) =>
      database.asTenant(owner.tenantId, async (transaction) => {
        // A previous commit may have succeeded without confirmation.
        if (!isFirst && (await isBooked(transaction, ids))) return null;
        await bookUsage(transaction, owner, usage, false, ids);
        if (rejected.length === 0)
          await beside(transaction).catch((error: unknown) => {
            if (error instanceof Error && !isPassing(error)) rejected.push(error);
            throw error;
          });
        // Last, since it locks the user's row, which the user's other calls wait for.
        const day = await settleCall(transaction, owner.userId, [reservation], inputTokens + outputTokens, limits);
        return raiseBudgetAlert(transaction, owner, day, limits.alertShare);
      }),
    );
  const alert = await settle().catch((error: unknown) => {
    if (rejected.length === 0) throw error;
    return settle();
  });
  if (alert !== null) onBudgetAlert?.(alert);
  for (const error of rejected) throw error;
}

export interface PaidCallDependencies extends SettleDependencies {
  readonly tracer?: Tracer;
}

/** Longest wait for a concurrency slot of the user, before the call frees its worker slot. */
const LONGEST_WAIT_MS = 60_000;
const FIRST_LOOK_MS = 200;
const LAST_LOOK_MS = 1_000;
/** Lifetime of a reservation beyond its call's time limit. */
const GRACE_MS = 60_000;

/**
 * Reserves tokens and a concurrency slot; while it waits for one, the session shows that. @throws BudgetExhausted, QuotaTooSmall, ModelBusy, or
 * the signal's reason
 */
async function reserve(
  { database, limits }: PaidCallDependencies,
  owner: UsageOwner,
  id: string,
  { tokens, provider }: { readonly tokens: number; readonly provider: ModelProvider },
  signal: AbortSignal,
): Promise<void> {
  const { tenantId, userId, sessionId } = owner;
  const deadline = performance.now() + LONGEST_WAIT_MS;
  const call = { id, tenantId, userId, tokens, provider, batch: false, lifeMs: limits.timeoutMs + GRACE_MS };
  const show = (isBusy: boolean) =>
    database.asTenant(tenantId, (transaction) => writeModelBusy(transaction, sessionId, isBusy));
  for (let pollMs = FIRST_LOOK_MS; ; pollMs = Math.min(pollMs * 1.5, LAST_LOOK_MS)) {
    signal.throwIfAborted();
    const outcome = await reserveCall(database.pool, call, limits);
    if (outcome.kind === 'granted') {
      if (pollMs > FIRST_LOOK_MS) await show(false);
      return;
    }
    if (outcome.kind === 'over_quota') throw new QuotaTooSmall(tokens, outcome.quotaTokens);
    if (outcome.kind === 'over_day') throw new BudgetExhausted(waitForNextDay(outcome.resetsInMs, owner.sessionId));
    if (performance.now() + pollMs > deadline) throw new ModelBusy();
    if (pollMs === FIRST_LOOK_MS) await show(true);
    await pause(pollMs, undefined, { signal });
  }
}

/** Releases a reservation, if there is one. If that fails, it expires, and the call's error is what matters. */
export async function release(database: Database, tenantId: TenantId, reservation: string): Promise<void> {
  await database.asTenant(tenantId, (transaction) => releaseCall(transaction, [reservation])).catch(() => undefined);
}

/**
 * Calls a paid model: reserves before, then settles and records in one transaction with what `beside` writes. A failed call with a cost is
 * recorded as well. @throws ModelError, `invalid_request` if the call exceeds the request limit, QuotaTooSmall if it exceeds the user's day;
 * BudgetExhausted, ModelBusy, the signal's reason
 */
export async function callPaidModel<Output>(
  dependencies: PaidCallDependencies,
  owner: UsageOwner,
  call: PreparedCall<Output>,
  signal: AbortSignal,
  beside: (transaction: TenantTransaction, answer: ModelResponse<Output>) => Promise<void>,
): Promise<ModelResponse<Output>> {
  const { database, limits } = dependencies;
  const bound = call.inputTokens + call.maxTokensOut;
  if (bound > limits.requestTokens)
    throw new ModelError('invalid_request', `the call may take ${bound} tokens; the limit is ${limits.requestTokens}`);
  const reservation = newId();
  try {
    await reserve(dependencies, owner, reservation, { tokens: bound, provider: call.provider }, signal);
    // Cancelled during the reservation: nothing is sent.
    signal.throwIfAborted();
    const answer = await sendCall(dependencies.tracer, owner, call, signal).catch(async (error: unknown) => {
      const usage = error instanceof ModelError ? error.usage : [];
      if (usage.length > 0) await settlePaid(dependencies, owner, reservation, usage, () => Promise.resolve());
      throw error;
    });
    await settlePaid(dependencies, owner, reservation, [answer.usage], (transaction) => beside(transaction, answer));
    return answer;
  } catch (error) {
    // Whatever failed, cancellation included: a reservation that remained would keep the user's other sessions waiting.
    await release(database, owner.tenantId, reservation);
    throw error;
  }
}
