import type { Config } from '../config/config.ts';
import type { ModelPort } from '../domain/ports/model.ts';
import { createClaudeModel } from './claude/model.ts';
import { createLocalModel } from './local/model.ts';

export interface ModelTools {
  readonly countTokens: (text: string) => number;
  readonly now: () => number;
}

/** The summarising model that the configuration names. */
export function createModel(config: Config['model'], { countTokens, now }: ModelTools): ModelPort {
  if (config.provider === 'local' || config.apiKey === undefined) return createLocalModel({ countTokens, now });
  return createClaudeModel({
    apiKey: config.apiKey,
    ...(config.baseUrl === undefined ? {} : { baseUrl: config.baseUrl }),
    model: config.name,
    prices: config.prices,
    timeoutMs: config.timeoutMs,
    maxOutputTokens: config.maxOutputTokens,
    now,
  });
}
