import type { Prices } from '../../config/provider-settings.ts';
import type { ModelUsage, OutsideProvider } from '../../domain/ports/model.ts';
import type { PricedModel } from './options.ts';

/** Tokens of one call by price; the four never overlap. */
export interface BilledTokens {
  /** Input neither read from nor written to the prompt cache. */
  readonly input: number;
  readonly cacheWritten: number;
  readonly cached: number;
  readonly output: number;
}

const TOKENS_PER_PRICE = 1_000_000;

/** Returns the US dollars of one call's tokens; `share` is the price share of a batch. */
export function costUsd(tokens: BilledTokens, prices: Prices, share = 1): number {
  const direct =
    tokens.input * prices.inputUsdPerMTok +
    tokens.cacheWritten * prices.cacheWriteUsdPerMTok +
    tokens.cached * prices.cacheReadUsdPerMTok +
    tokens.output * prices.outputUsdPerMTok;
  return (direct * share) / TOKENS_PER_PRICE;
}

/** Returns the maximum cost of a call: all input written to the cache if that is dearer, the longest response, no batch. */
export function maxCostUsd(inputTokens: number, maxTokensOut: number, prices: Prices): number {
  const dearest = Math.max(prices.inputUsdPerMTok, prices.cacheWriteUsdPerMTok);
  return (inputTokens * dearest + maxTokensOut * prices.outputUsdPerMTok) / TOKENS_PER_PRICE;
}

/** Returns the cost of one call; `usd` if the provider states it. `batchShare` is the price share of a batch; null for a direct call. */
export function usageOf(
  provider: OutsideProvider,
  tokens: BilledTokens,
  model: PricedModel,
  batchShare: number | null,
  latencyMs: number,
  usd = costUsd(tokens, model.prices, batchShare ?? 1),
): ModelUsage {
  return {
    provider,
    model: model.name,
    inputTokens: tokens.input + tokens.cacheWritten + tokens.cached,
    outputTokens: tokens.output,
    tokensCached: tokens.cached,
    tokensCacheWritten: tokens.cacheWritten,
    costUsd: usd,
    batch: batchShare !== null,
    latencyMs,
  };
}
