import { z } from 'zod';
import { forecastUse, OBSERVED_DAYS } from '../../domain/costs/forecast.ts';
import type { Expected } from '../../domain/costs/forecast.ts';
import { readBudget } from '../../stores/postgres/usage/budgets.ts';
import type { Budget } from '../../stores/postgres/usage/budgets.ts';
import {
  firstUsageDay,
  readUsageAlerts,
  readUsageDays,
  readUsageGroups,
  readUsageTotals,
} from '../../stores/postgres/usage/usage-report.ts';
import type { UsageAlert, UsageGroupRow, UsageSums } from '../../stores/postgres/usage/usage-report.ts';
import { principalOf, route, isAdmin, mayActFor, viewOf } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { present } from '../http/present.ts';
import { ApiError, existing, invalid } from '../errors.ts';
import {
  forecastSchema,
  usageQuery,
  usageRange,
  usageSchema,
  budgetSchema,
  roiSchema,
  DEFAULT_DAYS,
} from '../../contract/usage.ts';
import type { alertSchema, groupSchema, sumsSchema } from '../../contract/usage.ts';
import { numeric } from '../../contract/query.ts';
import { MAX_CONTEXTS, RETURN_FORMULAS, returnOf } from '../../domain/costs/return.ts';
import { readMemoryReturn } from '../../stores/postgres/memories/memory-return.ts';
import type { Principal } from '../../stores/postgres/access/principal.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { findUser } from '../../stores/postgres/search/profile.ts';
import type { ProfileUser } from '../../stores/postgres/search/profile.ts';
import { MAX_DAYS } from '../../contract/operations.ts';

const DAY_MS = 86_400_000;
const NO_GROUPS = { rows: [], isCut: false };

/** Returns both ends of a requested range. @throws ApiError VALIDATION_FAILED that names the field */
function checkedRange({ since, until }: { readonly since?: string | undefined; readonly until?: string | undefined }) {
  const end = until === undefined ? Date.now() : Date.parse(until);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  const field = since === undefined ? 'until' : 'since';
  if (!Number.isFinite(start) || start < 0 || end < 0) throw invalid(field, 'is before 1970');
  if (start >= end) throw invalid(field, 'leaves no time: since must be before until');
  if (end - start > MAX_DAYS * DAY_MS) throw invalid(field, `spans more than ${MAX_DAYS} days`);
  return { since: new Date(start).toISOString(), until: new Date(end).toISOString() };
}

/**
 * Returns the user of a usage report: null for the tenant, if an admin names no user; the caller for other roles.
 * @throws ApiError FORBIDDEN for another user, NOT_FOUND for an unknown user
 */
async function usageUser(
  database: Database,
  principal: Principal,
  requested: string | undefined,
): Promise<ProfileUser | null> {
  if (requested === undefined && isAdmin(principal)) return null;
  const named = requested === undefined || requested === 'me' ? principal.userId : requested;
  const user = await database.asTenant(viewOf(principal), (transaction) => findUser(transaction, named));
  if (!mayActFor(principal, user?.id))
    throw new ApiError('FORBIDDEN', 'only admins may read the usage of another user');
  return existing(user, 'user');
}

/** Returns rounded figures: tokens to integers, dollars to the millionth. */
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
  const share = budget.quotaTokens === 0 ? null : taken / budget.quotaTokens;
  return present(budgetSchema, { ...budget, share, alertShare });
}

/** `GET /usage` and `GET /usage/forecast`: what models cost, what is left of the day, and what is to be expected. */
export function usageRoutes(app: Api, { database, config }: ApiDependencies): void {
  app.get(
    '/usage',
    route('read', {
      tags: ['usage'],
      summary: 'Get tokens and cost of model calls',
      description: 'Returns the usage of the caller; for admins, of the tenant or of one user. Days are UTC.',
      querystring: usageQuery,
      response: { 200: usageSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { group_by: groupBy, by_day: byDay, limit, user: requested, ...range } = request.query;
      const { since, until } = checkedRange(range);
      const user = await usageUser(database, principal, requested);
      const scope = { userId: user?.id ?? null, since, until };
      const [report, budget] = await Promise.all([
        database.readAsTenant(viewOf(principal), async (read) => ({
          totals: await readUsageTotals(read, scope),
          groups:
            groupBy === undefined ? NO_GROUPS : await readUsageGroups(read, scope, { group: groupBy, byDay, limit }),
          alerts: await readUsageAlerts(read, scope),
        })),
        database.asTenant(viewOf(principal), (transaction) =>
          readBudget(transaction, user?.id ?? principal.userId, config.model.userDailyTokens),
        ),
      ]);
      return {
        scope: { user },
        since,
        until,
        totals: presentSums(report.totals),
        group_by: groupBy ?? null,
        groups: report.groups.rows.map(presentGroup),
        more_groups: report.groups.isCut,
        budget: presentBudget(existing(budget, 'user'), config.model.alertShare),
        alerts: report.alerts.map(presentAlert),
      };
    },
  );

  app.get(
    '/usage/forecast',
    route('read', {
      tags: ['usage'],
      summary: 'Forecast the usage of the coming days',
      description:
        'Returns the mean of the last 28 complete UTC days, per weekday if 14 days were observed, and the range that contains four of five days. Assumes no trend.',
      querystring: z.strictObject({
        days: numeric(z.number().int().min(1).max(90)).prefault(30).describe('Number of days, starting tomorrow'),
        user: usageRange.user,
      }),
      response: { 200: forecastSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const user = await usageUser(database, principal, request.query.user);
      const userId = user?.id ?? null;
      const today = new Date().toISOString().slice(0, 10);
      const scope = {
        userId,
        since: new Date(Date.parse(today) - OBSERVED_DAYS * DAY_MS).toISOString(),
        until: new Date(today).toISOString(),
      };
      const { used, first } = await database.readAsTenant(viewOf(principal), async (read) => ({
        used: await readUsageDays(read, scope),
        first: await firstUsageDay(read, userId),
      }));
      const forecast = forecastUse(used, first, today, request.query.days);
      return {
        scope: { user },
        method: forecast.method,
        days_observed: forecast.daysObserved,
        first_day: forecast.firstDay,
        last_day: forecast.lastDay,
        days: forecast.days.map(({ day, tokens, usd }) => ({
          day,
          tokens: presentTokens(tokens),
          usd: presentUsd(usd),
        })),
        total:
          forecast.total === null
            ? null
            : { tokens: presentTokens(forecast.total.tokens), usd: presentUsd(forecast.total.usd) },
      };
    },
  );
}

const roundFigure = (value: number | null): number | null => (value === null ? null : roundUsd(value));

/** `GET /roi`: what memory gave back against what it cost, with every input and every formula. */
export function roiRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/roi',
    route('read', {
      tags: ['usage'],
      summary: 'Get the return on the cost of the models',
      querystring: z.strictObject({
        ...usageRange,
        minutes_per_memory: numeric(z.number().min(0).max(1_440)).optional().describe('Minutes saved by a used memory'),
        hourly_usd: numeric(z.number().min(0).max(10_000)).optional().describe('Cost of an hour of work, in dollars'),
        usd_per_mtok: numeric(z.number().min(0).max(10_000))
          .optional()
          .describe('Price of a million input tokens of the agent, in dollars'),
      }),
      response: { 200: roiSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { query } = request;
      const { since, until } = checkedRange(query);
      const user = await usageUser(database, principal, query.user);
      const scope = { userId: user?.id ?? null, since, until };
      const { memory, usage } = await database.readAsTenant(viewOf(principal), async (read) => ({
        memory: await readMemoryReturn(read, scope),
        usage: await readUsageTotals(read, scope),
      }));
      const assumed = {
        minutesPerMemory: query.minutes_per_memory ?? null,
        hourlyUsd: query.hourly_usd ?? null,
        usdPerMTok: query.usd_per_mtok ?? null,
      };
      const result = returnOf(
        {
          sessionStarts: memory.session_starts,
          startTokens: memory.start_tokens,
          sourceTokens: memory.source_tokens,
          usedMemories: memory.used_memories,
          spentUsd: usage.usd,
        },
        assumed,
      );
      return {
        scope: { user },
        since,
        until,
        inputs: {
          minutes_per_memory: assumed.minutesPerMemory,
          hourly_usd: assumed.hourlyUsd,
          usd_per_mtok: assumed.usdPerMTok,
        },
        data: { ...memory, spent_usd: roundUsd(usage.usd), limited: memory.contexts >= MAX_CONTEXTS },
        formulas: RETURN_FORMULAS,
        result: {
          saved_tokens: result.savedTokens,
          saved_tokens_usd: roundFigure(result.savedTokensUsd),
          saved_minutes: roundFigure(result.savedMinutes),
          saved_time_usd: roundFigure(result.savedTimeUsd),
          net_usd: roundFigure(result.netUsd),
          ratio: roundFigure(result.ratio),
        },
      };
    },
  );
}
