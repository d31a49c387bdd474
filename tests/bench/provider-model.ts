import { z } from 'zod';
import { modelConfig, modelEnvironment } from '../../config/model-settings.ts';
import { processEnvironment } from '../../config/process-environment.ts';
import type { ModelPort } from '../../domain/ports/model.ts';
import { createModels } from '../../models/create-model.ts';

/** Returns the model of a provider with the key, address and models of the environment. @throws Error without them */
export function providerModel(provider: string, countTokens: (text: string) => number): ModelPort {
  const environment = processEnvironment();
  const config = modelConfig(z.object(modelEnvironment).parse({ ...environment, RECOLLECT_MODEL_PROVIDER: provider }));
  const { apiKey, openai } = config;
  if (provider === 'anthropic' && apiKey === undefined) throw new Error('anthropic needs ANTHROPIC_API_KEY');
  if (provider === 'openai' && (openai.baseUrl === undefined || openai.large === undefined))
    throw new Error('openai needs RECOLLECT_OPENAI_BASE_URL and RECOLLECT_OPENAI_LARGE_MODEL');
  const [model] = createModels(config, { countTokens, now: Date.now, environment }).large;
  if (model === undefined) throw new Error(`no provider ${provider}`);
  return model;
}
