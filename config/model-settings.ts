import { z } from 'zod';
import { OUTSIDE_CLASSES } from '../domain/data-classes.ts';
import { prices, providerConfig, providerEnvironment, providerUrl, readPrices } from './provider-settings.ts';

const positiveInt = z.coerce.number().int().positive();
const fraction = z.coerce.number().min(0).max(1);

const thinking = z.enum(['unsaid', 'disabled', 'between_tools']).default('unsaid');

/** Settings of the summarising model, its budgets and modes. */
export const modelEnvironment = {
  ...providerEnvironment,
  RECOLLECT_MODEL_MAX_CLASS: z
    .enum(OUTSIDE_CLASSES)
    .default('internal')
    .describe('Highest class of data that is sent to a provider of models or embeddings; see docs/data-classes.md'),
  ANTHROPIC_API_KEY: z.string().min(1).optional().describe('API key of the provider `anthropic`, which requires it'),
  RECOLLECT_ANTHROPIC_BASE_URL: providerUrl
    .optional()
    .describe('Address of the provider `anthropic`; unset: the public one'),
  RECOLLECT_SMALL_MODEL: z
    .string()
    .min(1)
    .default('claude-haiku-4-5')
    .describe('Claude model for short windows without failures, for `anthropic` and `claude-cli`'),
  RECOLLECT_SMALL_MODEL_PRICES: prices
    .default('1,5,1.25,0.1')
    .describe('Prices of this model, US dollars per million tokens: input, output, cache write, cache read'),
  RECOLLECT_SMALL_MODEL_THINKING: thinking.describe(
    'Method to disable its thinking, which would use the output tokens; `unsaid` for a model without thinking by default',
  ),
  RECOLLECT_LARGE_MODEL: z
    .string()
    .min(1)
    .default('claude-sonnet-4-6')
    .describe('Claude model for all other windows, session summaries and learnings'),
  RECOLLECT_LARGE_MODEL_PRICES: prices
    .default('3,15,3.75,0.3')
    .describe('Prices of this model, US dollars per million tokens: input, output, cache write, cache read'),
  RECOLLECT_LARGE_MODEL_THINKING: thinking.describe('Method to disable the thinking of the large model'),
  RECOLLECT_SMALL_WINDOW_TOKENS: z.coerce
    .number()
    .int()
    .min(0)
    .default(4_000)
    .describe('Larger windows, and windows with a failure, use the large model; 0: all windows do'),
  // A step ends after seven minutes: up to 20 s of other windows, then twice a minute’s wait for a place and this time.
  RECOLLECT_MODEL_TIMEOUT_MS: positiveInt
    .max(140_000)
    .default(120_000)
    .describe('Timeout of one model call, in ms; at most 140 s, so that a call and its repair fit one step'),
  RECOLLECT_MODEL_MAX_OUTPUT_TOKENS: positiveInt.min(256).default(1_500).describe('Maximum output tokens of one call'),
  RECOLLECT_MODEL_CONCURRENCY: positiveInt.max(1_000).default(10).describe('Concurrent model calls'),
  RECOLLECT_MODEL_USER_CONCURRENCY: positiveInt.max(1_000).default(3).describe('Concurrent model calls of one user'),
  RECOLLECT_MODEL_MAX_REQUEST_TOKENS: positiveInt
    .default(8_000)
    .describe('Maximum tokens of one call including prefix and output; long rows are truncated'),
  RECOLLECT_USER_DAILY_TOKENS: z.coerce
    .number()
    .int()
    .min(0)
    .max(1e9)
    .default(1_000_000)
    .describe('Maximum tokens per user and UTC day, unless the user has their own quota'),
  RECOLLECT_BUDGET_ALERT_SHARE: fraction
    .default(0.8)
    .describe('Share of the daily tokens that raises an alert, once per day'),
  RECOLLECT_BUDGET_EXCEEDED_ACTION: z
    .enum(['wait', 'local'])
    .default('wait')
    .describe('Action when the daily tokens are exceeded: wait for the next day, or use the local model'),
  RECOLLECT_MODEL_CACHE_SIMILARITY: fraction
    .default(0.97)
    .describe('Similarity at which a window reuses the response of a summarised window; 1: identical windows only'),
  RECOLLECT_MODEL_CACHE_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_650)
    .default(30)
    .describe('Days that responses are cached; 0: no cache'),
  RECOLLECT_MODEL_MODE: z
    .enum(['direct', 'batch'])
    .default('direct')
    .describe('Summarise windows at once (direct) or in provider batches at a lower price (batch)'),
  RECOLLECT_MODEL_BATCH_PRICE_SHARE: fraction
    .default(0.5)
    .describe('Price of a batch call as a share of a direct call'),
  RECOLLECT_MODEL_BATCH_GATHER_MS: positiveInt
    .max(86_400_000)
    .default(300_000)
    .describe('Time to collect windows before a batch is sent, in ms'),
  RECOLLECT_MODEL_BATCH_MAX_CALLS: positiveInt
    .max(2_000)
    .default(1_000)
    .describe('Number of calls at which a batch is sent at once'),
  RECOLLECT_MODEL_BATCH_POLL_MS: positiveInt
    .max(3_600_000)
    .default(60_000)
    .describe('First pause between two polls of a batch, in ms; exponential up to ten minutes'),
};

const environment = z.object(modelEnvironment);

function thinkingOf(setting: z.output<typeof thinking>): 'disabled' | 'between_tools' | undefined {
  return setting === 'unsaid' ? undefined : setting;
}

/** Returns the part of the configuration of these settings. */
export function modelConfig(env: z.output<typeof environment>) {
  return {
    ...providerConfig(env),
    maxClass: env.RECOLLECT_MODEL_MAX_CLASS,
    apiKey: env.ANTHROPIC_API_KEY,
    baseUrl: env.RECOLLECT_ANTHROPIC_BASE_URL,
    small: {
      name: env.RECOLLECT_SMALL_MODEL,
      prices: readPrices(env.RECOLLECT_SMALL_MODEL_PRICES),
      thinking: thinkingOf(env.RECOLLECT_SMALL_MODEL_THINKING),
    },
    large: {
      name: env.RECOLLECT_LARGE_MODEL,
      prices: readPrices(env.RECOLLECT_LARGE_MODEL_PRICES),
      thinking: thinkingOf(env.RECOLLECT_LARGE_MODEL_THINKING),
    },
    smallWindowTokens: env.RECOLLECT_SMALL_WINDOW_TOKENS,
    timeoutMs: env.RECOLLECT_MODEL_TIMEOUT_MS,
    maxOutputTokens: env.RECOLLECT_MODEL_MAX_OUTPUT_TOKENS,
    requestTokens: env.RECOLLECT_MODEL_MAX_REQUEST_TOKENS,
    concurrency: env.RECOLLECT_MODEL_CONCURRENCY,
    userConcurrency: env.RECOLLECT_MODEL_USER_CONCURRENCY,
    userDailyTokens: env.RECOLLECT_USER_DAILY_TOKENS,
    alertShare: env.RECOLLECT_BUDGET_ALERT_SHARE,
    overBudget: env.RECOLLECT_BUDGET_EXCEEDED_ACTION,
    cache: { similarity: env.RECOLLECT_MODEL_CACHE_SIMILARITY, days: env.RECOLLECT_MODEL_CACHE_DAYS },
    mode: env.RECOLLECT_MODEL_MODE,
    batch: {
      priceShare: env.RECOLLECT_MODEL_BATCH_PRICE_SHARE,
      gatherMs: env.RECOLLECT_MODEL_BATCH_GATHER_MS,
      maxCalls: env.RECOLLECT_MODEL_BATCH_MAX_CALLS,
      pollMs: env.RECOLLECT_MODEL_BATCH_POLL_MS,
    },
  };
}
