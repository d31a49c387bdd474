import { z } from 'zod';
import { USAGE_GROUPS } from '../domain/jobs.ts';
import { MAX_DAYS } from './operations.ts';
import { flag, numeric } from './query.ts';
import { timestamp } from './shared.ts';
import { text } from './text.ts';
import { MAX_CONTEXTS } from '../domain/costs/return.ts';

export const DEFAULT_DAYS = 30;

/** Whose usage, and of which time. */
export const usageRange = {
  since: timestamp
    .optional()
    .describe(
      `Start of the time range, inclusive, from 1970 on and at most ${MAX_DAYS} days before \`until\`; default: ${DEFAULT_DAYS} days before \`until\``,
    ),
  until: timestamp.optional().describe('End of the time range, exclusive; default: now'),
  user: text(256)
    .optional()
    .describe(
      'Id or name of a user, or `me`. Default: the caller; for admins, the tenant. Other users require an admin',
    ),
};

const sums = {
  calls: z.number().int().describe('Number of model calls'),
  cache_hits: z.number().int().describe('Number of responses from the cache, without cost'),
  batch_calls: z.number().int(),
  input_tokens: z
    .number()
    .int()
    .describe('Input tokens, including tokens read from and written to the provider’s cache'),
  output_tokens: z.number().int(),
  tokens_cached: z.number().int().describe('Input tokens read from the provider’s prompt cache'),
  tokens_cache_written: z.number().int().describe('Input tokens written to the provider’s prompt cache'),
  tokens_batch: z.number().int().describe('Input and output tokens of calls in provider batches'),
  usd: z.number(),
  latency_ms: z.number().nullable().describe('Mean latency of model calls, in ms'),
};
export const sumsSchema = z.object(sums).meta({ id: 'UsageSums' });
export const groupSchema = z
  .object({
    key: z.string().nullable().describe('Key of the group; null: calls without a session or project'),
    name: z.string().nullable(),
    day: z.string().nullable().describe('UTC day of the sums; null without `by_day`'),
    ...sums,
  })
  .meta({ id: 'UsageGroup' });

const MAX_GROUPS = 400;
/** Keys that are returned for each of at most {@link MAX_DAYS} days. */
const MAX_KEYS_BY_DAY = 20;
const KEYS_BY_DAY = 10;

export const usageQuery = z
  .strictObject({
    ...usageRange,
    group_by: z.enum(USAGE_GROUPS).optional(),
    by_day: flag().prefault(false).describe('Return each group once per UTC day; with `group_by`'),
    limit: numeric(z.number().int().min(1).max(MAX_GROUPS))
      .optional()
      .describe(
        `Maximum groups, by descending cost, days in order; default 100. With \`by_day\` the maximum number of keys, at most ${MAX_KEYS_BY_DAY}; default ${KEYS_BY_DAY}`,
      ),
  })
  .refine((query) => !query.by_day || (query.group_by !== undefined && query.group_by !== 'day'), {
    path: ['by_day'],
    message: 'needs group_by other than day',
  })
  .refine((query) => !query.by_day || query.limit === undefined || query.limit <= MAX_KEYS_BY_DAY, {
    path: ['limit'],
    message: `is at most ${MAX_KEYS_BY_DAY} with by_day`,
  })
  .transform((query) => ({ ...query, limit: query.limit ?? (query.by_day ? KEYS_BY_DAY : 100) }));

export const budgetSchema = z
  .object({
    quota_tokens: z.number().int().describe('Maximum tokens per UTC day'),
    used_tokens: z.number().int(),
    reserved_tokens: z.number().int().describe('Tokens reserved by calls in progress'),
    share: z.number().nullable().describe('Used and reserved tokens divided by the quota; null if the quota is 0'),
    alert_share: z.number(),
    resets_at: z.string(),
  })
  .meta({ id: 'Budget' });

export const alertSchema = z
  .object({
    type: z.enum(['budget_threshold']),
    day: z.string(),
    user: z.object({ id: z.string(), username: z.string() }),
    used_tokens: z.number().int(),
    quota_tokens: z.number().int(),
    share: z.number(),
    created_at: z.string(),
  })
  .meta({ id: 'UsageAlert' });

export const scopeSchema = z
  .object({
    user: z
      .object({ id: z.string(), username: z.string() })
      .nullable()
      .describe('User of the report; null: the tenant'),
  })
  .meta({ id: 'UsageScope' });

export const usageSchema = z
  .object({
    scope: scopeSchema,
    since: z.string(),
    until: z.string(),
    totals: sumsSchema,
    group_by: z.enum(USAGE_GROUPS).nullable(),
    groups: z.array(groupSchema),
    more_groups: z.boolean().describe('Whether there are more groups than `limit`, or keys with `by_day`'),
    budget: budgetSchema.describe('Budget of the caller or of the requested user'),
    alerts: z.array(alertSchema),
  })
  .meta({ id: 'Usage' });
export type Usage = z.output<typeof usageSchema>;

const expectedSchema = z
  .object({
    expected: z.number(),
    low: z
      .number()
      .nullable()
      .describe('Lower bound of the range that contains four of five days; null if only one day was observed'),
    high: z.number().nullable(),
  })
  .meta({ id: 'ExpectedUsage' });

export const forecastSchema = z
  .object({
    scope: scopeSchema,
    method: z.enum(['none', 'mean', 'mean_by_weekday']),
    days_observed: z
      .number()
      .int()
      .describe('Complete UTC days that the forecast is based on, at most 28, without today'),
    first_day: z.string().nullable(),
    last_day: z.string().nullable(),
    days: z.array(z.object({ day: z.string(), tokens: expectedSchema, usd: expectedSchema })),
    total: z.object({ tokens: expectedSchema, usd: expectedSchema }).nullable(),
  })
  .meta({ id: 'UsageForecast' });

const figure = z.number().nullable();

export const roiSchema = z
  .object({
    scope: scopeSchema,
    since: z.string(),
    until: z.string(),
    inputs: z
      .object({ minutes_per_memory: figure, hourly_usd: figure, usd_per_mtok: figure })
      .describe('Inputs of the request; a missing one has no default'),
    data: z.object({
      contexts: z.number().int(),
      session_starts: z.number().int(),
      injected_tokens: z.number().int().describe('Tokens of all contexts'),
      start_tokens: z.number().int().describe('Tokens of contexts for session starts'),
      source_tokens: z
        .number()
        .int()
        .describe('Sources of the served memories: sessions, windows and rows, each counted once per context'),
      served_memories: z.number().int(),
      used_memories: z.number().int().describe('Memories rated useful or fetched, counted once per context'),
      wrong_memories: z.number().int(),
      spent_usd: z.number().describe('Cost of the models in the time range, in dollars'),
      limited: z.boolean().describe(`Only the newest ${MAX_CONTEXTS} contexts were read`),
    }),
    formulas: z.record(z.string(), z.string()),
    result: z
      .object({
        saved_tokens: figure,
        saved_tokens_usd: figure,
        saved_minutes: figure,
        saved_time_usd: figure,
        net_usd: figure,
        ratio: figure,
      })
      .describe('Null if there is no data, or if an input is missing'),
  })
  .meta({ id: 'Return' });
