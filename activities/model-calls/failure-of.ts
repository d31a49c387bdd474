import { BudgetExhausted, QuotaTooSmall } from '../../domain/costs/limits.ts';
import { ModelError } from '../../domain/ports/model.ts';
import { isPermanent } from '../failures.ts';

/** Why a model gave no response; `usage` is what it cost. */
export type CallFailure = ModelError | BudgetExhausted;

/** Returns the order in which failures end: a wait that is short or unknown, a setting, the next day, never. */
function waitOf(failure: CallFailure): readonly [rank: number, waitMs: number] {
  if (failure instanceof BudgetExhausted) return [2, failure.waitMs];
  if (isPermanent(failure)) return [3, 0];
  return [failure.kind === 'unauthorised' ? 1 : 0, failure.retryAfterMs ?? 0];
}

/**
 * Returns the failure of a request that no model answered: the one that ends first, so that the session waits no longer than it must and no window is
 * parked that one of the models may still summarise. Has the usage of all.
 */
export function failureOf(failures: readonly CallFailure[]): CallFailure {
  const [first, ...others] = failures.toSorted((one, other) => {
    const [[rank, waitMs], [otherRank, otherWaitMs]] = [waitOf(one), waitOf(other)];
    return rank - otherRank || waitMs - otherWaitMs;
  });
  if (first === undefined) throw new Error('no model is configured');
  if (others.length === 0) return first;
  const usage = failures.flatMap((failure) => failure.usage);
  if (first instanceof BudgetExhausted) return new BudgetExhausted(first.waitMs, usage);
  if (first instanceof QuotaTooSmall) return new QuotaTooSmall(first.callTokens, first.quotaTokens, usage);
  const { kind, message, retryAfterMs } = first;
  return new ModelError(kind, message, {
    usage,
    cause: first,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
