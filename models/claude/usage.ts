import type { ModelUsage } from '../../domain/ports/model.ts';
import type { PricedModel } from './options.ts';
import { type BilledTokens, costUsd } from './prices.ts';

/** Returns the cost of one call. `batchShare` is the price share of a batch; null for a direct call. */
export function usageOf(
  tokens: BilledTokens,
  model: PricedModel,
  batchShare: number | null,
  latencyMs: number,
): ModelUsage {
  return {
    provider: 'anthropic',
    model: model.name,
    inputTokens: tokens.input + tokens.cacheWritten + tokens.cached,
    outputTokens: tokens.output,
    tokensCached: tokens.cached,
    tokensCacheWritten: tokens.cacheWritten,
    costUsd: costUsd(tokens, model.prices, batchShare ?? 1),
    batch: batchShare !== null,
    latencyMs,
  };
}
