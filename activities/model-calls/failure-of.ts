import { BudgetExhausted, QuotaTooSmall } from '../../domain/costs/limits.ts';
import { ModelError } from '../../domain/ports/model.ts';
import { isPermanent } from '../failures.ts';

/** Why a model gave no response; `usage` is what it cost. */
export type CallFailure = ModelError | BudgetExhausted;

/** A setting may be corrected at any time: the request is sent again after this time at the latest. */
const SETTING_WAIT_MS = 600_000;

/** Returns the time after which a failure has ended; 0 if the provider states none. */
function waitMsOf(failure: CallFailure): number {
  if (failure instanceof BudgetExhausted) return failure.waitMs;
  if (isPermanent(failure)) return Number.MAX_SAFE_INTEGER;
  return failure.kind === 'unauthorised' ? SETTING_WAIT_MS : (failure.retryAfterMs ?? 0);
}

/**
 * Returns the failure of a request that no model answered: the one that ends first, so that the session waits no longer than it must and no window is
 * parked that one of the models may still summarise. Has the usage of all.
 */
export function failureOf(failures: readonly CallFailure[]): CallFailure {
  const [first, ...others] = failures.toSorted((one, other) => waitMsOf(one) - waitMsOf(other));
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
