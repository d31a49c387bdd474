import { v7 } from 'uuid';
import { leastIdAt } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { EmbeddingUsage } from '../../../domain/ports/embedder.ts';
import type { ModelUsage } from '../../../domain/ports/model.ts';
import type { TenantTransaction } from '../connection/database.ts';
import type pg from 'pg';
import { z } from 'zod';

/** Purpose of a model call. */
export const MODEL_OPERATIONS = ['summarise_window', 'summarise_session', 'extract_learnings'] as const;
export type ModelOperation = (typeof MODEL_OPERATIONS)[number];

export interface UsageOwner {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly sessionId: string;
  readonly operation: ModelOperation;
}

/** Books model calls, those that failed included. An answer from the cache is booked as one, with nothing that it cost. `ids`: one for each call. */
export async function bookUsage(
  transaction: TenantTransaction,
  owner: UsageOwner,
  calls: readonly ModelUsage[],
  cacheHit = false,
  ids: readonly string[] = calls.map(() => v7()),
): Promise<void> {
  if (calls.length === 0) return;
  const { tenantId, userId, sessionId, operation } = owner;
  const shared = { tenantId, userId, sessionId, operation, cacheHit };
  await transaction.usageEntry.createMany({
    data: calls.map((call, n) => ({ id: ids[n] ?? v7(), ...shared, ...call })),
  });
}

/** Books calls of an embedding provider: of no session and no user, because one reads texts of many. */
export async function bookEmbedding(
  transaction: TenantTransaction,
  tenantId: TenantId,
  calls: readonly EmbeddingUsage[],
): Promise<void> {
  if (calls.length === 0) return;
  await transaction.usageEntry.createMany({
    data: calls.map(({ provider, model, tokens, costUsd, latencyMs }) => ({
      id: v7(),
      tenantId,
      operation: 'embedding',
      provider,
      model,
      inputTokens: tokens,
      outputTokens: 0,
      tokensCached: 0,
      costUsd,
      latencyMs: Math.round(latencyMs),
    })),
  });
}

/** Returns true if entries with these ids, which were recorded together, exist. */
export async function isBooked(transaction: TenantTransaction, ids: readonly string[]): Promise<boolean> {
  return (await transaction.usageEntry.count({ where: { id: { in: [...ids] } } })) > 0;
}

/** Tokens and dollars of several calls together. */
export function sumUsage(calls: readonly ModelUsage[]): {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
} {
  return {
    inputTokens: calls.reduce((sum, call) => sum + call.inputTokens, 0),
    outputTokens: calls.reduce((sum, call) => sum + call.outputTokens, 0),
    costUsd: calls.reduce((sum, call) => sum + call.costUsd, 0),
  };
}

const callsRow = z.object({
  provider: z.string(),
  model: z.string(),
  operation: z.string(),
  batch: z.boolean(),
  cache_hit: z.boolean(),
  calls: z.coerce.number(),
  input_tokens: z.coerce.number(),
  output_tokens: z.coerce.number(),
  tokens_cached: z.coerce.number(),
  usd: z.coerce.number(),
  seconds: z.coerce.number(),
});
const incidentsRow = z.object({ budget_alerts: z.coerce.number(), claims_dropped: z.coerce.number() });

type ModelCallSums = z.output<typeof callsRow>;

interface ModelActivity {
  readonly calls: readonly ModelCallSums[];
  readonly budgetAlerts: number;
  readonly claimsDropped: number;
}

/** Returns the totals of the models of all tenants between two times, by the ids of usage rows: sums for the metrics, without tenants. */
export async function readModelActivity(pool: pg.Pool, afterMs: number, upToMs: number): Promise<ModelActivity> {
  const values = [leastIdAt(afterMs), leastIdAt(upToMs)];
  const [calls, incidents] = await Promise.all([
    pool.query({ name: 'model_calls_between', text: 'SELECT * FROM model_calls_between($1, $2)', values }),
    pool.query({ name: 'model_incidents_between', text: 'SELECT * FROM model_incidents_between($1, $2)', values }),
  ]);
  const [incident] = z.tuple([incidentsRow]).parse(incidents.rows);
  return {
    calls: z.array(callsRow).parse(calls.rows),
    budgetAlerts: incident.budget_alerts,
    claimsDropped: incident.claims_dropped,
  };
}
