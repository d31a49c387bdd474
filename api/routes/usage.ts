import { z } from 'zod';
import { forecastUse, OBSERVED_DAYS } from '../../domain/costs/forecast.ts';
import { readBudget } from '../../stores/postgres/usage/budgets.ts';
import { USAGE_GROUPS } from '../../domain/jobs.ts';
import {
  firstUsageDay,
  readUsageAlerts,
  readUsageDays,
  readUsageGroups,
  readUsageTotals,
} from '../../stores/postgres/usage/usage-report.ts';
import { principalOf, route } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { present } from '../http/present.ts';
import { ApiError } from '../errors.ts';
import { forecastSchema, usageRange, usageSchema } from '../../contract/usage.ts';
import type { alertSchema, budgetSchema, groupSchema, sumsSchema } from '../../contract/usage.ts';
import { checkedRange, usageUser } from '../usage-scope.ts';
import { numeric } from '../../contract/query.ts';
import type { Budget } from '../../stores/postgres/usage/budgets.ts';
import type { Expected } from '../../domain/costs/forecast.ts';
import type { UsageAlert, UsageGroupRow, UsageSums } from '../../stores/postgres/usage/usage-report.ts';

const DAY_MS = 86_400_000;

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
      querystring: z.strictObject({
        ...usageRange,
        group_by: z.enum(USAGE_GROUPS).optional(),
        limit: numeric(z.number().int().min(1).max(400))
          .prefault(100)
          .describe('Maximum groups, by descending cost; days in order'),
      }),
      response: { 200: usageSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { group_by: groupBy, limit, user: requested, ...range } = request.query;
      const { since, until } = checkedRange(range);
      const user = await usageUser(database, principal, requested);
      const scope = { userId: user?.id ?? null, since, until };
      const [report, budget] = await Promise.all([
        database.readAsTenant(principal.tenantId, async (read) => ({
          totals: await readUsageTotals(read, scope),
          groups: groupBy === undefined ? [] : await readUsageGroups(read, scope, groupBy, limit + 1),
          alerts: await readUsageAlerts(read, scope),
        })),
        database.asTenant(principal.tenantId, (transaction) =>
          readBudget(transaction, user?.id ?? principal.userId, config.model.userDailyTokens),
        ),
      ]);
      if (budget === null) throw new ApiError('NOT_FOUND', 'there is no such user');
      return {
        scope: { user },
        since,
        until,
        totals: presentSums(report.totals),
        group_by: groupBy ?? null,
        groups: report.groups.slice(0, limit).map(presentGroup),
        more_groups: report.groups.length > limit,
        budget: presentBudget(budget, config.model.alertShare),
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
      const { used, first } = await database.readAsTenant(principal.tenantId, async (read) => ({
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
