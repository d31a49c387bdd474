import type { Config } from '../config/config.ts';
import type { ModelPort } from '../domain/ports/model.ts';
import { createClaudeModel } from './claude/model.ts';
import { createLocalModel } from './local/model.ts';

export interface ModelTools {
  readonly countTokens: (text: string) => number;
  readonly now: () => number;
}

/** Creates the configured summarising model. */
export function createModel(config: Config['model'], tools: ModelTools): ModelPort {
  const { countTokens, now } = tools;
  if (config.provider === 'local' || config.apiKey === undefined) return createLocalModel(tools);
  return createClaudeModel({
    apiKey: config.apiKey,
    ...(config.baseUrl === undefined ? {} : { baseUrl: config.baseUrl }),
    small: config.small,
    large: config.large,
    smallWindowTokens: config.smallWindowTokens,
    timeoutMs: config.timeoutMs,
    maxOutputTokens: config.maxOutputTokens,
    requestTokens: config.requestTokens,
    batchPriceShare: config.batch.priceShare,
    countTokens,
    now,
  });
}
