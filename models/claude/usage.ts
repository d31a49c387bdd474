import type { ModelUsage } from '../../domain/ports/model.ts';
import type { PricedModel } from './options.ts';
import { type BilledTokens, costUsd } from './prices.ts';

/** What one call cost. `batchShare` is the part of the price that a batch pays; null for a direct call. */
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
