import type { Prices } from '../../config/provider-settings.ts';

/** A model with its prices. */
export interface PricedModel {
  readonly name: string;
  readonly prices: Prices;
  /** How to disable thinking for models that think by default: thoughts would use up the response limit. Absent: the model does not think by default. */
  readonly thinking?: 'disabled' | 'between_tools' | undefined;
}

/** Options of an outside model, whatever its protocol. */
export interface OutsideModelOptions {
  readonly small: PricedModel;
  readonly large: PricedModel;
  /** Windows with more tokens use the large model; 0: all of them. */
  readonly smallWindowTokens: number;
  /** Limit of one response. */
  readonly maxOutputTokens: number;
  /** Limit of one call: input as the provider counts it, plus the response limit. */
  readonly requestTokens: number;
  /** o200k tokens of a text. */
  readonly countTokens: (text: string) => number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}
