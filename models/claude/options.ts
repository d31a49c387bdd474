import type { Prices } from '../../config/model-settings.ts';

/** A model by its name and what it costs. */
export interface PricedModel {
  readonly name: string;
  readonly prices: Prices;
  /**
   * How thinking is turned off, for models that think unless they are told otherwise: thoughts would use up the bound of the answer.
   * Absent: nothing is said, which is right for models that do not think by themselves.
   */
  readonly thinking?: 'disabled' | 'between_tools' | undefined;
}

export interface ClaudeModelOptions {
  readonly apiKey: string;
  /** Default: the provider's public address. */
  readonly baseUrl?: string;
  readonly small: PricedModel;
  readonly large: PricedModel;
  /** A window with more tokens goes to the large model; 0: every window does. */
  readonly smallWindowTokens: number;
  /** Bound of one HTTP call, its body included. */
  readonly timeoutMs: number;
  /** Bound of one answer. */
  readonly maxOutputTokens: number;
  /** Bound of one call: input as the provider counts it, and the bound of the answer. */
  readonly requestTokens: number;
  /** What a call in a batch costs of the price of a direct one, 0–1. */
  readonly batchPriceShare: number;
  /** o200k tokens of a text. */
  readonly countTokens: (text: string) => number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}
