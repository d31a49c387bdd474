import { z } from 'zod';

const positiveInt = z.coerce.number().int().positive();
const fraction = z.coerce.number().min(0).max(1);

/** US dollars per million tokens: input, output, written to the prompt cache, read from it. */
export interface Prices {
  readonly inputUsdPerMTok: number;
  readonly outputUsdPerMTok: number;
  readonly cacheWriteUsdPerMTok: number;
  readonly cacheReadUsdPerMTok: number;
}

const prices = z.string().regex(/^\s*\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?){3}\s*$/u, {
  error: 'needs four prices joined by commas: input, output, cache write, cache read',
});

/** Reads what {@link prices} let through. */
function readPrices(text: string): Prices {
  const [input = 0, output = 0, write = 0, read = 0] = text.split(',').map(Number);
  return { inputUsdPerMTok: input, outputUsdPerMTok: output, cacheWriteUsdPerMTok: write, cacheReadUsdPerMTok: read };
}

const thinking = z.enum(['unsaid', 'disabled', 'between_tools']).default('unsaid');

/** Settings of the summarising model, its budgets and its lanes. */
export const modelEnvironment = {
  RECOLLECT_MODEL_PROVIDER: z.enum(['local', 'anthropic']).default('local').describe('Who summarises'),
  ANTHROPIC_API_KEY: z.string().min(1).optional().describe('Key of the provider; needed where it summarises'),
  RECOLLECT_ANTHROPIC_BASE_URL: z.url().optional().describe('Another address of the provider'),
  RECOLLECT_SMALL_MODEL: z
    .string()
    .min(1)
    .default('claude-haiku-4-5')
    .describe('Model for short windows in which nothing failed'),
  RECOLLECT_SMALL_MODEL_PRICES: prices

    .default('1,5,1.25,0.1')
    .describe('Its prices, US dollars per million tokens: input, output, cache write, cache read'),
  RECOLLECT_SMALL_MODEL_THINKING: thinking.describe(
    'How its thinking is turned off, which would use up the bound of the answer; `unsaid` for a model that does not think by itself',
  ),
  RECOLLECT_LARGE_MODEL: z
    .string()
    .min(1)
    .default('claude-sonnet-4-6')
    .describe('Model for all other windows, session summaries and learnings'),
  RECOLLECT_LARGE_MODEL_PRICES: prices
    .default('3,15,3.75,0.3')
    .describe('Its prices, US dollars per million tokens: input, output, cache write, cache read'),
  RECOLLECT_LARGE_MODEL_THINKING: thinking.describe('The same of the large model'),
  RECOLLECT_SMALL_WINDOW_TOKENS: z.coerce
    .number()
    .int()
    .min(0)
    .default(4_000)
    .describe('A longer window goes to the large model, as does one in which something failed; 0: all of them do'),
  RECOLLECT_MODEL_TIMEOUT_MS: positiveInt.default(120_000).describe('Bound of one model call'),
  RECOLLECT_MODEL_MAX_OUTPUT_TOKENS: positiveInt.min(256).default(1_500).describe('Bound of one answer'),
  RECOLLECT_MODEL_CONCURRENCY: positiveInt.max(1_000).default(10).describe('Model calls at once in all'),
  RECOLLECT_MODEL_USER_CONCURRENCY: positiveInt.max(1_000).default(3).describe('Model calls at once of one user'),
  RECOLLECT_MODEL_MAX_REQUEST_TOKENS: positiveInt
    .default(8_000)
    .describe('Tokens of one call at most, prefix and answer included; long rows are cut to fit'),
  RECOLLECT_USER_DAILY_TOKENS: z.coerce
    .number()
    .int()
    .min(0)
    .max(1e9)
    .default(1_000_000)
    .describe('Tokens of a user and UTC day at most, unless the user has a quota of their own'),
  RECOLLECT_BUDGET_ALERT_SHARE: fraction
    .default(0.8)
    .describe('Share of the daily tokens at which an alert is raised, once a day'),
  RECOLLECT_BUDGET_EXCEEDED_ACTION: z
    .enum(['wait', 'local'])
    .default('wait')
    .describe('Over the daily tokens: wait for the next day, or let the local model do it'),
  RECOLLECT_MODEL_CACHE_SIMILARITY: fraction
    .default(0.97)
    .describe('A window this similar to one that was summarised takes its answer; 1: only the same one does'),
  RECOLLECT_MODEL_CACHE_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(3_650)
    .default(30)
    .describe('How long answers are kept for the same question; 0: not at all'),
  RECOLLECT_MODEL_MODE: z
    .enum(['direct', 'batch'])
    .default('direct')
    .describe('Windows are summarised at once, or in provider batches at a lower price'),
  RECOLLECT_MODEL_BATCH_PRICE_SHARE: fraction
    .default(0.5)
    .describe('What a call in a batch costs of the price of a direct one'),
  RECOLLECT_MODEL_BATCH_GATHER_MS: positiveInt
    .max(86_400_000)
    .default(300_000)
    .describe('How long windows are gathered before a batch is sent'),
  RECOLLECT_MODEL_BATCH_MAX_CALLS: positiveInt
    .max(2_000)
    .default(1_000)
    .describe('A batch with this many calls is sent at once'),
  RECOLLECT_MODEL_BATCH_POLL_MS: positiveInt
    .max(3_600_000)
    .default(60_000)
    .describe('First pause between two looks at a batch; doubles up to ten minutes'),
};

const environment = z.object(modelEnvironment);

function saidThinking(said: z.output<typeof thinking>): 'disabled' | 'between_tools' | undefined {
  return said === 'unsaid' ? undefined : said;
}

/** The part of the configuration that the settings above make. */
export function modelConfig(env: z.output<typeof environment>) {
  return {
    provider: env.RECOLLECT_MODEL_PROVIDER,
    apiKey: env.ANTHROPIC_API_KEY,
    baseUrl: env.RECOLLECT_ANTHROPIC_BASE_URL,
    small: {
      name: env.RECOLLECT_SMALL_MODEL,
      prices: readPrices(env.RECOLLECT_SMALL_MODEL_PRICES),
      thinking: saidThinking(env.RECOLLECT_SMALL_MODEL_THINKING),
    },
    large: {
      name: env.RECOLLECT_LARGE_MODEL,
      prices: readPrices(env.RECOLLECT_LARGE_MODEL_PRICES),
      thinking: saidThinking(env.RECOLLECT_LARGE_MODEL_THINKING),
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
