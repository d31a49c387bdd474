import { setTimeout as pause } from 'node:timers/promises';
import { BudgetExhausted, ModelBusy, QuotaTooSmall, waitForNextDay } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelResponse, PreparedCall } from '../../domain/ports/model.ts';
import { releaseCall, reserveCall } from '../../stores/postgres/usage/budgets.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { settlePaid } from './settle-call.ts';
import type { SettleDependencies } from './settle-call.ts';

export type PaidCallDependencies = SettleDependencies;

/** How long a call waits for a place among those that are made at once, before it gives its own place in the worker to others. */
const LONGEST_WAIT_MS = 60_000;
const FIRST_LOOK_MS = 200;
const LAST_LOOK_MS = 1_000;
/** What a reservation outlives the bound of its call by. */
const GRACE_MS = 60_000;

/** A place for the call. @throws BudgetExhausted, QuotaTooSmall, ModelBusy, or the signal's reason */
async function reserve(
  { database, limits }: PaidCallDependencies,
  owner: UsageOwner,
  tokens: number,
  signal: AbortSignal,
): Promise<string> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  const call = {
    tenantId: owner.tenantId,
    userId: owner.userId,
    tokens,
    batch: false,
    lifeMs: limits.timeoutMs + GRACE_MS,
  };
  for (let pollMs = FIRST_LOOK_MS; ; pollMs = Math.min(pollMs * 1.5, LAST_LOOK_MS)) {
    signal.throwIfAborted();
    const outcome = await reserveCall(database.pool, call, limits);
    if (outcome.kind === 'granted') return outcome.id;
    if (outcome.kind === 'over_quota') throw new QuotaTooSmall(tokens, outcome.quotaTokens);
    if (outcome.kind === 'over_day') throw new BudgetExhausted(waitForNextDay(outcome.resetsInMs, owner.sessionId));
    if (performance.now() + pollMs > deadline) throw new ModelBusy();
    await pause(pollMs, undefined, { signal });
  }
}

/** Gives the place back at once. Where that fails it comes free with the reservation's end, and why the call failed is what matters. */
async function release(database: Database, owner: UsageOwner, reservation: string): Promise<void> {
  await database
    .asTenant(asId(owner.tenantId), (transaction) => releaseCall(transaction, [reservation]))
    .catch(() => undefined);
}

/**
 * Makes a call of a paid model: reserved before it, settled and booked in one transaction right after it, with what `beside` writes.
 * A call that failed and cost something is booked all the same.
 * @throws ModelError, `invalid_request` where the call may take more than one call may, or QuotaTooSmall than a day of the user has; BudgetExhausted, ModelBusy, the signal's reason
 */
export async function askPaid<Output>(
  dependencies: PaidCallDependencies,
  owner: UsageOwner,
  call: PreparedCall<Output>,
  signal: AbortSignal,
  beside: (transaction: TenantTransaction, answer: ModelResponse<Output>) => Promise<void>,
): Promise<ModelResponse<Output>> {
  const { database, limits } = dependencies;
  const bound = call.inputTokens + call.maxTokensOut;
  if (bound > limits.requestTokens)
    throw new ModelError('invalid_request', `the call may take ${bound} tokens; ${limits.requestTokens} are allowed`);
  const reservation = await reserve(dependencies, owner, bound, signal);
  let answer: ModelResponse<Output>;
  try {
    // Cancelled while the place was being taken: whatever `ask` does about it, nothing is asked, and the place is given back.
    signal.throwIfAborted();
    answer = await call.send(signal);
  } catch (error) {
    const usage = error instanceof ModelError ? error.usage : [];
    if (usage.length > 0) await settlePaid(dependencies, owner, reservation, usage, () => Promise.resolve());
    else await release(database, owner, reservation);
    throw error;
  }
  await settlePaid(dependencies, owner, reservation, [answer.usage], (transaction) => beside(transaction, answer));
  return answer;
}
