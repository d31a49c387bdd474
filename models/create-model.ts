import type { Config } from '../config/config.ts';
import type { ModelPort } from '../domain/ports/model.ts';
import { createClaudeModel } from './claude/model.ts';
import { limitClasses } from './limit-classes.ts';
import { createLocalModel } from './local/model.ts';

export interface ModelTools {
  readonly countTokens: (text: string) => number;
  readonly now: () => number;
}

/** Creates the model of this machine, which reads every class that summaries may be made from. */
export function createOwnModel(tools: ModelTools): ModelPort {
  return limitClasses(createLocalModel(tools), 'restricted');
}

/** Creates the configured summarising model. */
export function createModel(config: Config['model'], tools: ModelTools): ModelPort {
  const { countTokens, now } = tools;
  if (config.provider === 'local' || config.apiKey === undefined) return createOwnModel(tools);
  const model = createClaudeModel({
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
  return limitClasses(model, config.maxClass);
}
