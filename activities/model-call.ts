import { BudgetExhausted, QuotaTooSmall } from '../domain/costs/limits.ts';
import { ModelError } from '../domain/ports/model.ts';
import type { ModelErrorKind, ModelPort, ModelProvider, ModelRequest, PreparedCall } from '../domain/ports/model.ts';
import type { UsageOwner } from '../stores/postgres/usage/usage-ledger.ts';
import { isPermanent } from './failures.ts';
import { cacheQuestion } from './model-calls/answer-cache.ts';
import { dropFailed } from './model-calls/failed-requests.ts';
import type { FailedRequest } from './model-calls/failed-requests.ts';
import { failureOf } from './model-calls/failure-of.ts';
import type { CallFailure } from './model-calls/failure-of.ts';
import { callOne, costOf, findEarly } from './model-calls/one-call.ts';
import type { CallResult, EarlyRequest, RequestOptions } from './model-calls/one-call.ts';
import type { PaidCallDependencies } from './model-calls/paid-call.ts';
import { pauseOf, pauseProvider } from './model-calls/provider-pauses.ts';

export interface ModelCallDependencies extends PaidCallDependencies {
  /** Model for users whose daily budget is exhausted or too small for a call; null: they wait for the next day. */
  readonly fallback: ModelPort | null;
  /** Returns whether the provider may read the sessions of a user. Absent: every provider may. */
  readonly mayRead?: (provider: ModelProvider, owner: UsageOwner) => Promise<boolean>;
  /** Called when a request goes to the next provider. */
  readonly onFailover?: (provider: ModelProvider, reason: FailoverReason) => void;
}

/** Why a request goes to the next provider. */
export type FailoverReason = ModelErrorKind | 'budget';

/** A model request in the form of any model. */
export interface ModelTask<Output> extends RequestOptions<Output> {
  readonly prepare: (model: ModelPort) => Promise<PreparedCall<Output>>;
  /** The request as known without its count, to find a cached response before anything is sent. Absent: only a prepared one is looked up. */
  readonly request?: (model: ModelPort) => ModelRequest<Output>;
}

/** Returns the request of a model to look up; null for the local model, which has no cache, and for one that preparing rejects. */
function earlyRequest<Output>(
  { limits }: ModelCallDependencies,
  model: ModelPort,
  { request, near }: ModelTask<Output>,
): EarlyRequest<Output> | null {
  if (request === undefined || model.provider === 'local') return null;
  try {
    const made = request(model);
    return { request: made, question: cacheQuestion(made, near, limits.cache) };
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

/** Returns the failure of a provider that may not read the session; null if it may. */
async function refusalOf(
  { mayRead }: ModelCallDependencies,
  owner: UsageOwner,
  { provider }: ModelPort,
): Promise<ModelError | null> {
  if (mayRead === undefined || (await mayRead(provider, owner))) return null;
  return new ModelError('unauthorised', `${provider} reads only the sessions of the user of this machine`);
}

function reasonOf(failure: CallFailure): FailoverReason {
  return failure instanceof BudgetExhausted || failure instanceof QuotaTooSmall ? 'budget' : failure.kind;
}

/**
 * Uses the models in order: the next one if one fails, is paused after a failure, or has no budget left for the user. A cached response of any of
 * them comes first, so that an answer that was paid for is not paid for again at another provider; nor is a failure that was paid for, until a
 * model responds or all fail permanently. Usage is recorded when it returns or throws, so that the caller's transaction writes the output alone.
 * @throws the failure that ends first, with the usage of all: ModelError, QuotaTooSmall among them, BudgetExhausted; ModelBusy, the signal's reason
 */
export async function callModel<Output>(
  dependencies: ModelCallDependencies,
  owner: UsageOwner,
  models: readonly ModelPort[],
  task: ModelTask<Output>,
  signal: AbortSignal,
): Promise<CallResult<Output>> {
  const { database, fallback, onFailover } = dependencies;
  const early = new Map(models.map((model) => [model, earlyRequest(dependencies, model, task)]));
  for (const request of early.values()) {
    const cached = request === null ? null : await findEarly(dependencies, owner, request, task);
    if (cached !== null) return cached;
  }
  const refusals: CallFailure[] = [];
  const failures: CallFailure[] = [];
  const paidFailures = new Set<FailedRequest>();
  for (const model of fallback === null ? models : [...models, fallback]) {
    // The fallback serves exhausted budgets alone: other failures wait.
    if (model === fallback && !failures.some((failure) => reasonOf(failure) === 'budget')) break;
    const refusal = await refusalOf(dependencies, owner, model);
    if (refusal !== null) {
      refusals.push(refusal);
      continue;
    }
    const paused = models.length > 1 ? pauseOf(model) : null;
    if (paused !== null) {
      failures.push(paused);
      continue;
    }
    try {
      const prepared = await task.prepare(model);
      const options = { ...task, onFailed: (request: FailedRequest) => void paidFailures.add(request) };
      const result = await callOne(dependencies, owner, prepared, early.get(model) ?? null, signal, options);
      await dropFailed(database, owner, paidFailures);
      const usage = [...failures.flatMap((failure) => failure.usage), ...result.usage];
      return failures.length === 0 ? result : { ...result, usage, cost: costOf(usage) };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ModelError || error instanceof BudgetExhausted)) throw error;
      failures.push(error);
      if (error instanceof ModelError) pauseProvider(model, error);
      if (models.at(-1) !== model) onFailover?.(model.provider, reasonOf(error));
    }
  }
  // A provider that may not read the session answers no later attempt either: its refusal counts only without another failure.
  const failure = failureOf(failures.length === 0 ? refusals : failures);
  if (failure instanceof ModelError && isPermanent(failure)) await dropFailed(database, owner, paidFailures);
  throw failure;
}
