import { BudgetExhausted, QuotaTooSmall } from '../domain/costs/limits.ts';
import { asId } from '../domain/ids.ts';
import { ModelError } from '../domain/ports/model.ts';
import type { ModelResponse, ModelPort, ModelUsage, PreparedCall, ModelRequest } from '../domain/ports/model.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import { dropUnreadable } from '../stores/postgres/usage/model-response-cache.ts';
import { bookUsage, sumUsage } from '../stores/postgres/usage/usage-ledger.ts';
import type { UsageOwner } from '../stores/postgres/usage/usage-ledger.ts';
import { isPermanent } from './failures.ts';
import {
  bookHit,
  cacheQuestion,
  findFailedAnswer,
  findCachedResponse,
  keepForQuestion,
} from './model-calls/answer-cache.ts';
import type { CacheQuestion, NearOptions } from './model-calls/answer-cache.ts';
import { askPaid } from './model-calls/paid-call.ts';
import type { PaidCallDependencies } from './model-calls/paid-call.ts';

/** What a step cost, as workflows count it. */
export interface CallCost {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export interface ModelCallDependencies extends PaidCallDependencies {
  /** Does the work of users whose day is spent, or too short for a call; null where they wait for the next one. */
  readonly fallback: ModelPort | null;
}

/** What a caller knows beside the call itself. */
export interface CallOptions<Output> {
  /** Prepares the same input for the fallback model. Without it the call waits for the next day. */
  readonly prepareFallback?: (fallback: ModelPort, signal: AbortSignal) => Promise<PreparedCall<Output>>;
  /**
   * The question as it is known before the call is prepared, of a paid model: an answer that was given to it is taken without asking
   * the provider to count its tokens.
   */
  readonly question?: ModelRequest<Output>;
  /** Lets the answer to a nearly identical question be taken. Without it only the same question's is. */
  readonly near?: NearOptions<Output>;
  /** `SessionFacts.forgotten`: what was forgotten since is not kept. Without it nothing may have been forgotten of the session ever. */
  readonly forgotten?: number;
}

export interface CallResult<Output> {
  readonly output: Output;
  readonly cost: CallCost;
  /** Never empty; its last tells the model that answered. */
  readonly usage: readonly ModelUsage[];
  /** The answer was given before to the same question, or to one nearly the same: nothing was paid. */
  readonly fromCache: boolean;
}

export const NO_COST: CallCost = { calls: 0, tokens: 0, usd: 0 };

export function costOf(usage: readonly ModelUsage[]): CallCost {
  const { inputTokens, outputTokens, costUsd } = sumUsage(usage);
  return { calls: usage.length, tokens: inputTokens + outputTokens, usd: costUsd };
}

/**
 * Asks, and once more where the answer cannot be used.
 * @param failed the first answer, where it was paid for by an attempt before this one
 * @throws ModelError with the usage of both; BudgetExhausted with that of the first
 */
async function askTwice<Output>(
  prepared: PreparedCall<Output>,
  signal: AbortSignal,
  asked: (call: PreparedCall<Output>) => Promise<ModelResponse<Output>>,
  failed: ModelResponse<Output> | null = null,
): Promise<CallResult<Output>> {
  const first = failed ?? (await asked(prepared));
  const done = (output: Output, usage: readonly ModelUsage[]) => ({
    output,
    usage,
    cost: costOf(usage),
    fromCache: false,
  });
  if (first.reading.ok) return done(first.reading.output, [first.usage]);
  let second: ModelResponse<Output>;
  try {
    second = await asked(await prepared.repair(first.text, first.reading.problem, signal));
  } catch (error) {
    if (error instanceof BudgetExhausted) throw new BudgetExhausted(error.waitMs, [first.usage]);
    if (!(error instanceof ModelError)) throw error;
    const usage = [first.usage, ...error.usage];
    if (error instanceof QuotaTooSmall) throw new QuotaTooSmall(error.callTokens, error.quotaTokens, usage);
    // Where the repair finds no room the reason is still what was wrong with the first answer.
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

/** A model that costs nothing needs no budget; its calls are booked all the same. */
function callFree<Output>(
  { database }: ModelCallDependencies,
  owner: UsageOwner,
  prepared: PreparedCall<Output>,
  signal: AbortSignal,
): Promise<CallResult<Output>> {
  return askTwice(prepared, signal, async (call) => {
    const answer = await call.send(signal);
    await database.asTenant(asId(owner.tenantId), (transaction) => bookUsage(transaction, owner, [answer.usage]));
    return answer;
  });
}

/**
 * Answers are kept in the transaction that books them: a worker that is killed right after it pays nothing when the step is done again. So is
 * one that cannot be used, until its repair was answered: whatever keeps the repair waiting, what was paid is not paid again.
 */
async function callPaid<Output>(
  dependencies: ModelCallDependencies,
  owner: UsageOwner,
  prepared: PreparedCall<Output>,
  signal: AbortSignal,
  question: CacheQuestion,
  forgotten: number,
): Promise<CallResult<Output>> {
  const { database, limits } = dependencies;
  const kept = { days: limits.cache.days, forgotten };
  const drop = (transaction: TenantTransaction) => dropUnreadable(transaction, question.promptVersion, question.sha256);
  const failed = kept.days === 0 ? null : await findFailedAnswer<Output>(database, owner, question);
  const asked = (call: PreparedCall<Output>) =>
    askPaid(dependencies, owner, call, signal, async (transaction, answer) => {
      const { reading, usage } = answer;
      // What the repair answered is read again as an answer to the first question.
      if (reading.ok && (call === prepared || prepared.read(answer.text).ok))
        await keepForQuestion(transaction, owner, question, answer, kept);
      else if (reading.ok || call !== prepared) await drop(transaction);
      else {
        const { kind, problem, where } = reading;
        await keepForQuestion(transaction, owner, question, answer, kept, { kind, problem, where, usage });
      }
    });
  try {
    return await askTwice(prepared, signal, asked, failed);
  } catch (error) {
    // Given up: who has it done again wants it asked anew.
    if (error instanceof ModelError && isPermanent(error) && !(error instanceof QuotaTooSmall))
      await database.asTenant(asId(owner.tenantId), drop);
    throw error;
  }
}

/** An answer that was paid for before, booked as taken; null where there is none. */
async function fromCache<Output>(
  { database, limits }: ModelCallDependencies,
  owner: UsageOwner,
  asked: ModelRequest<Output>,
  question: CacheQuestion,
  near: NearOptions<Output> | undefined,
): Promise<CallResult<Output> | null> {
  if (limits.cache.days === 0) return null;
  const started = performance.now();
  const hit = await findCachedResponse(database, owner, asked, question, near, limits.cache);
  if (hit === null) return null;
  const usage = await bookHit(database, owner, hit.kept, Math.round(performance.now() - started));
  return { output: hit.output, cost: NO_COST, usage: [usage], fromCache: true };
}

/**
 * Makes a call under the budgets, or takes an answer that was paid for before. What it cost is booked when it returns or throws, so the
 * caller's transaction writes what the answer says and nothing else. The local model has no budget and no cache.
 * @param call prepared, or how to prepare it, which is not done where `options.question` was answered before
 * @throws ModelError with the usage of what was asked, which is booked already, QuotaTooSmall among them; BudgetExhausted, ModelBusy, the signal's reason
 */
export async function callModel<Output>(
  dependencies: ModelCallDependencies,
  owner: UsageOwner,
  call: PreparedCall<Output> | (() => Promise<PreparedCall<Output>>),
  signal: AbortSignal,
  options: CallOptions<Output> = {},
): Promise<CallResult<Output>> {
  const { limits, fallback } = dependencies;
  const early = options.question === undefined ? null : cacheQuestion(options.question, options.near, limits.cache);
  if (options.question !== undefined && early !== null) {
    const kept = await fromCache(dependencies, owner, options.question, early, options.near);
    if (kept !== null) return kept;
  }
  const prepared = typeof call === 'function' ? await call() : call;
  if (prepared.provider === 'local') return callFree(dependencies, owner, prepared, signal);
  // Where a window was cut further to fit, it is another question.
  const isSame = early?.text === prepared.requestText && early.promptVersion === prepared.promptVersion;
  const question = isSame ? early : cacheQuestion(prepared, options.near, limits.cache);
  const kept = isSame ? null : await fromCache(dependencies, owner, prepared, question, options.near);
  if (kept !== null) return kept;
  try {
    return await callPaid(dependencies, owner, prepared, signal, question, options.forgotten ?? 0);
  } catch (error) {
    const isOver = error instanceof BudgetExhausted || error instanceof QuotaTooSmall;
    if (!isOver || fallback === null || options.prepareFallback === undefined) throw error;
    const local = await callFree(dependencies, owner, await options.prepareFallback(fallback, signal), signal);
    const usage = [...error.usage, ...local.usage];
    return { ...local, usage, cost: costOf(usage) };
  }
}
