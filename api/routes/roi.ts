import { z } from 'zod';
import { MAX_CONTEXTS, RETURN_FORMULAS, returnOf } from '../../domain/costs/return.ts';
import { readMemoryReturn } from '../../stores/postgres/memories/memory-return.ts';
import { readUsageTotals } from '../../stores/postgres/usage/usage-report.ts';
import { principalOf, route } from '../auth.ts';
import type { Api, ApiDependencies } from '../dependencies.ts';
import { roundUsd } from './usage.ts';
import { roiSchema, usageRange } from '../../contract/usage.ts';
import { checkedRange, usageUser } from '../usage-scope.ts';
import { numeric } from '../../contract/query.ts';

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
      const { memory, usage } = await database.readAsTenant(principal.tenantId, async (read) => ({
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
