import type { Prices } from '../../config/model-settings.ts';

/** Tokens of one call by what they cost; the four never overlap. */
export interface BilledTokens {
  /** Input that is neither read from the prompt cache nor written to it. */
  readonly input: number;
  readonly cacheWritten: number;
  readonly cached: number;
  readonly output: number;
}

const TOKENS_PER_PRICE = 1_000_000;

/** US dollars for the tokens of one call; `share` is the part of the price that a batch pays. */
export function costUsd(tokens: BilledTokens, prices: Prices, share = 1): number {
  const direct =
    tokens.input * prices.inputUsdPerMTok +
    tokens.cacheWritten * prices.cacheWriteUsdPerMTok +
    tokens.cached * prices.cacheReadUsdPerMTok +
    tokens.output * prices.outputUsdPerMTok;
  return (direct * share) / TOKENS_PER_PRICE;
}

/** What a call costs at most: all of its input written to the cache where that is dearer, the longest answer, no batch. */
export function maxCostUsd(inputTokens: number, maxTokensOut: number, prices: Prices): number {
  const dearest = Math.max(prices.inputUsdPerMTok, prices.cacheWriteUsdPerMTok);
  return (inputTokens * dearest + maxTokensOut * prices.outputUsdPerMTok) / TOKENS_PER_PRICE;
}
