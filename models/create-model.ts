import type { Config } from '../config/config.ts';
import type { Environment } from '../config/process-environment.ts';
import type { ModelPort, ModelProvider, Models } from '../domain/ports/model.ts';
import { createClaudeCliModel } from './claude-cli/model.ts';
import { createClaudeModel } from './claude/model.ts';
import { limitClasses } from './limit-classes.ts';
import { createLocalModel } from './local/model.ts';
import { createOpenAiModel } from './openai/model.ts';
import { tierOfWindow } from './requests/port.ts';

export interface ModelTools {
  readonly countTokens: (text: string) => number;
  readonly now: () => number;
  /** Environment of this process, for the user's own `claude`. */
  readonly environment: Environment;
}

/** Creates the model of this machine, which reads every class that summaries may be made from. */
export function createOwnModel(tools: Omit<ModelTools, 'environment'>): ModelPort {
  return limitClasses(createLocalModel(tools), 'restricted');
}

/** Creates the configured summarising models, one for each provider. */
export function createModels(config: Config['model'], tools: ModelTools): Models {
  const ports = new Map<ModelProvider, ModelPort>();
  const portOf = (provider: ModelProvider): ModelPort => {
    const port = ports.get(provider) ?? createPort(provider, config, tools);
    ports.set(provider, port);
    return port;
  };
  const small = config.providers.small.map(portOf);
  const large = config.providers.large.map(portOf);
  return {
    name: [...ports].map(([provider, { name }]) => (provider === 'local' ? name : `${provider}: ${name}`)).join('; '),
    large,
    ofWindow: (rows) => (tierOfWindow(rows, config.smallWindowTokens) === 'small' ? small : large),
    batching: [...ports.values()].find(({ batches }) => batches !== null) ?? null,
  };
}

function createPort(provider: ModelProvider, config: Config['model'], tools: ModelTools): ModelPort {
  const { environment, ...rest } = tools;
  const { small, large, smallWindowTokens, timeoutMs, maxOutputTokens, requestTokens, openai } = config;
  const limits = { smallWindowTokens, timeoutMs, maxOutputTokens, requestTokens, ...rest };
  switch (provider) {
    case 'local':
      return createOwnModel(rest);
    case 'anthropic': {
      const { apiKey = '', baseUrl, batch } = config;
      const address = baseUrl === undefined ? {} : { baseUrl };
      const batchPriceShare = batch.priceShare;
      return limitClasses(
        createClaudeModel({ ...limits, small, large, apiKey, ...address, batchPriceShare }),
        config.maxClass,
      );
    }
    case 'openai': {
      const { baseUrl = '', apiKey, limitField, temperature } = openai;
      const models = {
        small: { name: openai.small ?? '', prices: openai.smallPrices },
        large: { name: openai.large ?? '', prices: openai.largePrices },
      };
      return limitClasses(
        createOpenAiModel({ ...limits, ...models, baseUrl, apiKey, limitField, temperature }),
        config.maxClass,
      );
    }
    case 'claude-cli': {
      const { command } = config.claudeCli;
      return limitClasses(createClaudeCliModel({ ...limits, small, large, command, environment }), config.maxClass);
    }
  }
}
