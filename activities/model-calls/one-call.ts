import { BudgetExhausted, QuotaTooSmall } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelResponse, ModelUsage, PreparedCall, ModelRequest } from '../../domain/ports/model.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { UnreadableMark, UnreadableResponse } from '../../stores/postgres/usage/model-response-cache.ts';
import { bookUsage, sumUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { isPermanent } from '../failures.ts';
import { bookHit, cacheQuestion, findCachedResponse, cacheForRequest } from './answer-cache.ts';
import type { CacheQuestion, NearOptions } from './answer-cache.ts';
import { failedRequestOf, findFailed, storeFailed } from './failed-requests.ts';
import type { FailedRequest } from './failed-requests.ts';
import { callPaidModel } from './paid-call.ts';
import type { PaidCallDependencies } from './paid-call.ts';
import { sendCall } from './send-call.ts';

/** Cost of a step. */
export interface CallCost {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

/** Conditions of a model request. */
export interface RequestOptions<Output> {
  /** Allows the cached response to a nearly identical request. Without it the request must be equal. */
  readonly near?: NearOptions<Output>;
  /**
   * `SessionFacts.forgotten`: responses that contain what was forgotten since are not cached. Without it nothing of the session may ever have
   * been forgotten.
   */
  readonly forgotten?: number;
}

/** A request at one of several providers. */
export interface CallOptions<Output> extends RequestOptions<Output> {
  /** Called with what is stored of a paid request without a usable response, so that the caller deletes it when the step ends. May repeat itself. */
  readonly onFailed: (request: FailedRequest) => void;
}

export interface CallResult<Output> {
  readonly output: Output;
  readonly cost: CallCost;
  /** Never empty; the last is of the model that responded. */
  readonly usage: readonly ModelUsage[];
  /** The response was cached and cost nothing. */
  readonly fromCache: boolean;
}

export const NO_COST: CallCost = { calls: 0, tokens: 0, usd: 0 };

export function costOf(usage: readonly ModelUsage[]): CallCost {
  const { inputTokens, outputTokens, costUsd } = sumUsage(usage);
  return { calls: usage.length, tokens: inputTokens + outputTokens, usd: costUsd };
}

/**
 * Sends the request, and a repair request if the response is unusable. `failed`: the first response, if a previous attempt paid for it.
 * @throws ModelError with the usage of both; BudgetExhausted with that of the first
 */
async function requestWithRepair<Output>(
  prepared: PreparedCall<Output>,
  signal: AbortSignal,
  send: (call: PreparedCall<Output>) => Promise<ModelResponse<Output>>,
  failed: ModelResponse<Output> | null = null,
): Promise<CallResult<Output>> {
  const first = failed ?? (await send(prepared));
  const done = (output: Output, usage: readonly ModelUsage[]) => ({
    output,
    usage,
    cost: costOf(usage),
    fromCache: false,
  });
  if (first.reading.ok) return done(first.reading.output, [first.usage]);
  let second: ModelResponse<Output>;
  try {
    second = await send(await prepared.repair(first.text, first.reading.problem, signal));
  } catch (error) {
    if (error instanceof BudgetExhausted) throw new BudgetExhausted(error.waitMs, [first.usage]);
    if (!(error instanceof ModelError)) throw error;
    const usage = [first.usage, ...error.usage];
    if (error instanceof QuotaTooSmall) throw new QuotaTooSmall(error.callTokens, error.quotaTokens, usage);
    // If the repair does not fit, the first response's fault is the reason.
    if (error.kind === 'invalid_request') throw new ModelError(first.reading.kind, first.reading.where, { usage });
    const { retryAfterMs } = error;
    throw new ModelError(error.kind, error.message, {
      usage,
      cause: error,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  const usage = [first.usage, second.usage];
  if (second.reading.ok) return done(second.reading.output, usage);
  throw new ModelError(second.reading.kind, second.reading.where, { usage });
}

/** A free model needs no budget; its usage is recorded. */
function callFree<Output>(
  { database, tracer }: PaidCallDependencies,
  owner: UsageOwner,
  prepared: PreparedCall<Output>,
  signal: AbortSignal,
): Promise<CallResult<Output>> {
  return requestWithRepair(prepared, signal, async (call) => {
    const answer = await sendCall(tracer, owner, call, signal);
    await database.asTenant(asId(owner.tenantId), (transaction) => bookUsage(transaction, owner, [answer.usage]));
    return answer;
  });
}

/**
 * Caches responses in the transaction that records their cost, so that a worker killed afterwards pays nothing on retry. An unusable response
 * is stored with what is wrong with it, and so is the failure of its repair. @throws ModelError of that failure if an earlier attempt met it
 */
async function callPaid<Output>(
  dependencies: PaidCallDependencies,
  owner: UsageOwner,
  prepared: PreparedCall<Output>,
  signal: AbortSignal,
  question: CacheQuestion,
  { forgotten = 0, onFailed }: CallOptions<Output>,
): Promise<CallResult<Output>> {
  const { database, limits } = dependencies;
  const life = { days: limits.cache.days, forgotten };
  const request = failedRequestOf(prepared, question);
  const store = (transaction: TenantTransaction, response: string, mark: UnreadableMark) => {
    onFailed(request);
    return storeFailed(transaction, owner, request, { response, mark }, life);
  };
  const failed = await findFailed(database, owner, request);
  if (failed !== null) onFailed(request);
  if (failed?.state === 'abandoned') throw new ModelError(failed.kind, failed.where, { usage: failed.usage });
  const send = (call: PreparedCall<Output>) =>
    callPaidModel(dependencies, owner, call, signal, async (transaction, answer) => {
      const { reading, usage } = answer;
      // The repair's response is parsed as a response to the first request.
      if (reading.ok && (call === prepared || prepared.read(answer.text).ok))
        await cacheForRequest(transaction, owner, question, answer, life);
      else if (!reading.ok && call === prepared) {
        const { kind, problem, where } = reading;
        await store(transaction, answer.text, { state: 'repairable', kind, problem, where, usage });
      }
    });
  try {
    return await requestWithRepair(prepared, signal, send, failed === null ? null : responseOf(failed));
  } catch (error) {
    // A quota may be raised: the repair is sent then. A failure without a cost may be met again.
    if (
      error instanceof ModelError &&
      isPermanent(error) &&
      !(error instanceof QuotaTooSmall) &&
      error.usage.length > 0
    ) {
      const { kind, message: where, usage } = error;
      await database.asTenant(asId(owner.tenantId), (transaction) =>
        store(transaction, '', { state: 'abandoned', kind, where, usage }),
      );
    }
    throw error;
  }
}

function responseOf<Output>({
  response: text,
  kind,
  problem,
  where,
  usage,
}: Extract<UnreadableResponse, { state: 'repairable' }>): ModelResponse<Output> {
  return { text, reading: { ok: false, kind, problem, where }, usage };
}

/** Returns a cached response and records the hit; null if there is none. */
async function fromCache<Output>(
  { database, limits }: PaidCallDependencies,
  owner: UsageOwner,
  request: ModelRequest<Output>,
  question: CacheQuestion,
  near: NearOptions<Output> | undefined,
): Promise<CallResult<Output> | null> {
  if (limits.cache.days === 0) return null;
  const started = performance.now();
  const hit = await findCachedResponse(database, owner, request, question, near, limits.cache);
  if (hit === null) return null;
  const usage = await bookHit(database, owner, hit.cached, Math.round(performance.now() - started));
  return { output: hit.output, cost: NO_COST, usage: [usage], fromCache: true };
}

/** A request as known before its tokens are counted; null if it cannot be rendered, which preparing will report. */
export interface EarlyRequest<Output> {
  readonly request: ModelRequest<Output>;
  readonly question: CacheQuestion;
}

/** Returns the cached response to a request that is not prepared yet, and records the hit; null if there is none. */
export function findEarly<Output>(
  dependencies: PaidCallDependencies,
  owner: UsageOwner,
  { request, question }: EarlyRequest<Output>,
  options: RequestOptions<Output>,
): Promise<CallResult<Output> | null> {
  return fromCache(dependencies, owner, request, question, options.near);
}

/**
 * Sends a request to its model within the budgets, or returns a cached response. Usage is recorded when it returns or throws. The local model has no
 * budget and no cache. `early`: was looked up before. @throws ModelError with the recorded usage, QuotaTooSmall among them; BudgetExhausted,
 * ModelBusy, the signal's reason
 */
export async function callOne<Output>(
  dependencies: PaidCallDependencies,
  owner: UsageOwner,
  prepared: PreparedCall<Output>,
  early: EarlyRequest<Output> | null,
  signal: AbortSignal,
  options: CallOptions<Output>,
): Promise<CallResult<Output>> {
  if (prepared.provider === 'local') return callFree(dependencies, owner, prepared, signal);
  // A window truncated to fit is another request.
  const isSame =
    early !== null &&
    early.question.text === prepared.requestText &&
    early.question.promptVersion === prepared.promptVersion;
  const question = isSame ? early.question : cacheQuestion(prepared, options.near, dependencies.limits.cache);
  const cached = isSame ? null : await fromCache(dependencies, owner, prepared, question, options.near);
  return cached ?? callPaid(dependencies, owner, prepared, signal, question, options);
}
