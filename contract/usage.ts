import { z } from 'zod';
import type { Expected } from '../domain/costs/forecast.ts';
import { USAGE_GROUPS } from '../stores/postgres/usage/usage-report.ts';
import type { UsageAlert, UsageGroupRow, UsageSums } from '../stores/postgres/usage/usage-report.ts';
import type { Budget } from '../stores/postgres/usage/budgets.ts';
import { timestamp } from './shared.ts';
import { text } from './text.ts';

const DAY_MS = 86_400_000;
/** One report reads no more of the ledger than this. */
export const MAX_DAYS = 400;
const DEFAULT_DAYS = 30;

/** Whose usage, and of which time. */
export const usageRange = {
  since: timestamp
    .optional()
    .describe(
      `From then on, before until, from 1970 on, and at most ${MAX_DAYS} days; ${DEFAULT_DAYS} days before until where it is not given`,
    ),
  until: timestamp.optional().describe('Before then; now where it is not given'),
  user: text(256)
    .optional()
    .describe(
      'Id or name of a user, or `me`. Others than one’s own are for admins, to whom the whole tenant is shown without it',
    ),
};

/** What is wrong with a range, by the field that is to be changed; null where it can be read. */
export function rangeFault({
  since,
  until,
}: {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}) {
  const end = until === undefined ? Date.now() : Date.parse(until);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  const field = since === undefined ? 'until' : 'since';
  if (!Number.isFinite(start) || start < 0 || end < 0) return { field, message: 'is before 1970' };
  if (start >= end) return { field, message: 'leaves no time: since must be before until' };
  if (end - start > MAX_DAYS * DAY_MS) return { field, message: `makes more than ${MAX_DAYS} days` };
  return null;
}

/** The range as both ends. Call {@link rangeFault} first. */
export function rangeOf({
  since,
  until,
}: {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}) {
  const end = until === undefined ? Date.now() : Date.parse(until);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  return { since: new Date(start).toISOString(), until: new Date(end).toISOString() };
}

const sums = {
  calls: z.number().int().describe('Calls that were made'),
  cache_hits: z.number().int().describe('Answers that were taken from the cache, for nothing'),
  batch_calls: z.number().int(),
  input_tokens: z.number().int().describe('Cached and cache-written ones included'),
  output_tokens: z.number().int(),
  tokens_cached: z.number().int().describe('Read from the provider’s prompt cache'),
  tokens_cache_written: z.number().int().describe('Written to it'),
  tokens_batch: z.number().int().describe('In and out, of calls in provider batches'),
  usd: z.number(),
  latency_ms: z.number().nullable().describe('Mean of the calls that were made'),
};
const sumsSchema = z.object(sums).meta({ id: 'UsageSums' });
const groupSchema = z
  .object({
    key: z.string().nullable().describe('Null: sessions without a project'),
    name: z.string().nullable(),
    ...sums,
  })
  .meta({ id: 'UsageGroup' });

const budgetSchema = z
  .object({
    quota_tokens: z.number().int().describe('Of one UTC day'),
    used_tokens: z.number().int(),
    reserved_tokens: z.number().int().describe('Of calls that are on their way'),
    share: z.number().nullable().describe('Used and reserved, by the quota; null where that is 0'),
    alert_share: z.number(),
    resets_at: z.string(),
  })
  .meta({ id: 'Budget' });

const alertSchema = z
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
  .object({ user: z.object({ id: z.string(), username: z.string() }).nullable().describe('Null: the whole tenant') })
  .meta({ id: 'UsageScope' });

export const usageSchema = z
  .object({
    scope: scopeSchema,
    since: z.string(),
    until: z.string(),
    totals: sumsSchema,
    group_by: z.enum(USAGE_GROUPS).nullable(),
    groups: z.array(groupSchema),
    more_groups: z.boolean().describe('There are more than `limit`'),
    budget: budgetSchema.describe('One’s own, or the asked-for user’s'),
    alerts: z.array(alertSchema),
  })
  .meta({ id: 'Usage' });

const expectedSchema = z
  .object({
    expected: z.number(),
    low: z.number().nullable().describe('The range holds four days of five; null where one day alone was seen'),
    high: z.number().nullable(),
  })
  .meta({ id: 'ExpectedUsage' });

export const forecastSchema = z
  .object({
    scope: scopeSchema,
    method: z.enum(['none', 'mean', 'mean_by_weekday']),
    days_observed: z.number().int().describe('Whole UTC days that it stands on, 28 at most; today is not one'),
    first_day: z.string().nullable(),
    last_day: z.string().nullable(),
    days: z.array(z.object({ day: z.string(), tokens: expectedSchema, usd: expectedSchema })),
    total: z.object({ tokens: expectedSchema, usd: expectedSchema }).nullable(),
  })
  .meta({ id: 'UsageForecast' });

/** Figures as an answer gives them: whole tokens, dollars to the millionth. */
export const presentTokens = ({ expected, low, high }: Expected) => ({
  expected: Math.round(expected),
  low: low === null ? null : Math.round(low),
  high: high === null ? null : Math.round(high),
});
export const roundUsd = (usd: number): number => Math.round(usd * 1e6) / 1e6;
export const presentUsd = ({ expected, low, high }: Expected) => ({
  expected: roundUsd(expected),
  low: low === null ? null : roundUsd(low),
  high: high === null ? null : roundUsd(high),
});

export function presentSums(given: UsageSums): z.output<typeof sumsSchema> {
  return { ...given, usd: roundUsd(given.usd) };
}

export function presentGroup(group: UsageGroupRow): z.output<typeof groupSchema> {
  return { ...group, usd: roundUsd(group.usd) };
}

export function presentAlert(alert: UsageAlert): z.output<typeof alertSchema> {
  return {
    type: alert.type,
    day: alert.day,
    user: { id: alert.user_id, username: alert.username },
    ...alert.details,
    created_at: alert.created_at.toISOString(),
  };
}

export function presentBudget(budget: Budget, alertShare: number): z.output<typeof budgetSchema> {
  const taken = budget.usedTokens + budget.reservedTokens;
  return {
    quota_tokens: budget.quotaTokens,
    used_tokens: budget.usedTokens,
    reserved_tokens: budget.reservedTokens,
    share: budget.quotaTokens === 0 ? null : taken / budget.quotaTokens,
    alert_share: alertShare,
    resets_at: budget.resetsAt,
  };
}
