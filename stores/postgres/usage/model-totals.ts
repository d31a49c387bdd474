import type pg from 'pg';
import { z } from 'zod';
import { leastIdAt } from '../../../domain/ids.ts';

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

export type ModelCallSums = z.output<typeof callsRow>;

export interface ModelActivity {
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
