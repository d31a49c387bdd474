import { z } from 'zod';
import { readSamples } from '../../../stores/postgres/statistics/instance-samples.ts';
import { countNow, readTrends } from '../../../stores/postgres/statistics/statistics.ts';
import { operates, principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { historyOf } from '../../instance-history.ts';
import { ApiError } from '../../errors.ts';
import { numeric } from '../../../contract/query.ts';
import { text } from '../../../contract/text.ts';
import { instanceHistorySchema, MAX_DAYS, statsSchema } from '../../../contract/operations.ts';

const DAY_MS = 86_400_000;
/** `GET /stats`: what there is now, and how it came to that. `GET /stats/history`: what the instance did in the last day, for operators. */
export function statsRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/stats',
    route('read', {
      tags: ['usage'],
      summary: 'Get current and daily counts',
      querystring: z.strictObject({
        days: numeric(z.number().int().min(1).max(MAX_DAYS)).prefault(30).describe('Number of days back'),
        metric: text(64).optional().describe('Name of a figure; returns only this one per day'),
        scope: z.enum(['tenant', 'instance']).default('tenant').describe('`instance` requires an operator'),
      }),
      response: { 200: statsSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { days, metric, scope } = request.query;
      const ofInstance = scope === 'instance';
      if (ofInstance && !operates(principal))
        throw new ApiError('FORBIDDEN', 'figures of the instance are for admins of the tenant that it was set up with');
      const since = new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
      const { now, trends } = await database.readAsTenant(viewOf(principal), async (read) => ({
        now: ofInstance ? [] : await countNow(read),
        trends: await readTrends(read, { since, metric: metric ?? null, ofInstance }),
      }));
      const byDay = Map.groupBy(trends, ({ date }) => date);
      return {
        scope,
        now: now.map((one) => ({ ...one })),
        days: [...byDay].map(([date, figures]) => ({
          date,
          figures: figures.map(({ metric: name, dimensions, value }) => ({ metric: name, dimensions, value })),
        })),
      };
    },
  );
  app.get(
    '/stats/history',
    route('operator', {
      tags: ['usage'],
      summary: 'Get figures of the instance for the last day',
      response: { 200: instanceHistorySchema },
    }),
    async (request) => ({ data: historyOf(await database.readAsTenant(viewOf(principalOf(request)), readSamples)) }),
  );
}
