import type pg from 'pg';
import type { TenantId } from '../../../domain/ids.ts';
import { z } from 'zod';
import type { TenantRead } from '../connection/database.ts';

const DAY_MS = 86_400_000;

/** Figures of a tenant as they stand: metric, dimensions, value. `unfindable` are chunks that are stored and that search by meaning has not had for an hour. */
const OF_TENANT = `
  SELECT 'sessions' AS metric, jsonb_build_object('status', status) AS dimensions, count(*)::double precision AS value FROM sessions WHERE tenant_id = $1::uuid GROUP BY status
  UNION ALL SELECT 'prompts', '{}', coalesce(sum(prompt_count), 0) FROM sessions WHERE tenant_id = $1::uuid
  UNION ALL SELECT 'observations', '{}', coalesce(sum(observation_count), 0) FROM sessions WHERE tenant_id = $1::uuid
  UNION ALL SELECT 'captured_tokens', '{}', coalesce(sum(token_count), 0) FROM sessions WHERE tenant_id = $1::uuid
  UNION ALL SELECT 'summaries', jsonb_build_object('type', type), count(*) FROM summaries WHERE tenant_id = $1::uuid GROUP BY type
  UNION ALL SELECT 'learnings', jsonb_build_object('state', CASE WHEN valid_to IS NULL THEN 'current' ELSE 'closed' END), count(*) FROM learnings WHERE tenant_id = $1::uuid GROUP BY valid_to IS NULL
  UNION ALL SELECT 'vectors', jsonb_build_object('state', state), count(*) FROM embeddings WHERE tenant_id = $1::uuid GROUP BY state
  UNION ALL SELECT 'unfindable', '{}', count(*) FROM embeddings e JOIN embedding_indexes i ON i.tenant_id = e.tenant_id AND i.serving_model = e.model
             WHERE e.tenant_id = $1::uuid AND e.state <> 'indexed' AND e.created_at < now() - interval '1 hour'`;

/** Model costs of a tenant on a day. */
const OF_DAY = `
  SELECT 'model_tokens' AS metric, jsonb_build_object('kind', kind) AS dimensions, coalesce(sum(tokens), 0)::double precision AS value
             FROM usage_ledger CROSS JOIN LATERAL (VALUES ('in', input_tokens), ('out', output_tokens), ('cached', tokens_cached)) AS t(kind, tokens)
            WHERE tenant_id = $1::uuid AND created_at >= $2::date AND created_at < $2::date + 1 GROUP BY kind
  UNION ALL SELECT 'model_usd', '{}', coalesce(sum(cost_usd), 0)::double precision FROM usage_ledger WHERE tenant_id = $1::uuid AND created_at >= $2::date AND created_at < $2::date + 1`;

/** For the instance: bytes of the largest tables with their partitions and indexes, and of the database. */
const OF_INSTANCE = `
  WITH parts AS (
    SELECT coalesce(i.inhparent, c.oid) AS oid, c.oid AS part FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r')
  SELECT 'table_bytes' AS metric, jsonb_build_object('table', p.oid::regclass::text) AS dimensions, sum(pg_table_size(p.part))::double precision AS value FROM parts p GROUP BY p.oid
  UNION ALL SELECT 'index_bytes', jsonb_build_object('table', p.oid::regclass::text), sum(pg_indexes_size(p.part)) FROM parts p GROUP BY p.oid
  UNION ALL SELECT 'database_bytes', '{}', pg_database_size(current_database())
  UNION ALL SELECT 'tenants', '{}', count(*) FROM tenants`;

const write = (figures: string): string => `
  INSERT INTO stats_snapshots (id, tenant_id, date, metric, dimensions, value)
  SELECT uuidv7(), $1::uuid, $2::date, f.metric, f.dimensions, f.value FROM (${figures}) AS f
  ON CONFLICT (tenant_id, date, metric, dimensions) DO UPDATE SET value = excluded.value, created_at = now()`;

/** Deletes all values of an earlier run on the same day: some may no longer exist, such as sessions in a status. */
const CLEAR = 'DELETE FROM stats_snapshots WHERE tenant_id IS NOT DISTINCT FROM $1::uuid AND date = $2::date';

/**
 * Stores the statistics of a tenant, or of the instance for null, for a day (`2026-03-01`); returns their number. A later run on the same day replaces
 * them. Model costs of the previous day are complete by now and are stored again.
 */
export async function takeSnapshot(maintenance: pg.Pool, tenantId: TenantId | null, day: string): Promise<number> {
  const client = await maintenance.connect();
  try {
    await client.query('BEGIN');
    await client.query(CLEAR, [tenantId, day]);
    const figures = tenantId === null ? OF_INSTANCE : `${OF_TENANT} UNION ALL ${OF_DAY}`;
    const { rowCount } = await client.query(write(figures), [tenantId, day]);
    if (tenantId !== null) {
      const before = new Date(Date.parse(day) - DAY_MS).toISOString().slice(0, 10);
      await client.query(write(`SELECT d.* FROM (${OF_DAY}) AS d WHERE d.value > 0`), [tenantId, before]);
    }
    await client.query('COMMIT');
    client.release();
    return rowCount ?? 0;
  } catch (error) {
    // A connection in an unknown state is not given to the next one.
    client.release(true);
    throw error;
  }
}

/** A figure of one day, or of now. */
interface Figure {
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

interface DayFigure extends Figure {
  /** `2026-03-01`, UTC. */
  readonly date: string;
}

const figureRow = z.object({ metric: z.string(), dimensions: z.record(z.string(), z.string()), value: z.number() });
const dayRow = figureRow.extend({ date: z.string() });

/** Counts that are cheap to make at any time: those of the sessions, and of the ledger by its indexes. */
const NOW = `
  SELECT 'sessions' AS metric, jsonb_build_object('status', status) AS dimensions, count(*)::double precision AS value FROM sessions WHERE tenant_id = (SELECT current_tenant_id()) GROUP BY status
  UNION ALL SELECT 'prompts', '{}', coalesce(sum(prompt_count), 0) FROM sessions WHERE tenant_id = (SELECT current_tenant_id())
  UNION ALL SELECT 'observations', '{}', coalesce(sum(observation_count), 0) FROM sessions WHERE tenant_id = (SELECT current_tenant_id())
  UNION ALL SELECT 'summaries', jsonb_build_object('type', type), count(*) FROM summaries WHERE tenant_id = (SELECT current_tenant_id()) GROUP BY type
  UNION ALL SELECT 'learnings', jsonb_build_object('state', CASE WHEN valid_to IS NULL THEN 'current' ELSE 'closed' END), count(*)
             FROM learnings WHERE tenant_id = (SELECT current_tenant_id()) GROUP BY valid_to IS NULL
  UNION ALL SELECT 'vectors', jsonb_build_object('state', state), count(*) FROM embeddings WHERE tenant_id = (SELECT current_tenant_id()) GROUP BY state`;

/** Returns the current counts of the tenant. */
export async function countNow(read: TenantRead): Promise<Figure[]> {
  return z.array(figureRow).parse(await read({ name: 'count_now', text: NOW, values: [] }));
}

/** Returns the statistics since a day, oldest first; those of the instance are visible to the operator's tenant only. */
export async function readTrends(
  read: TenantRead,
  {
    since,
    metric,
    ofInstance,
  }: { readonly since: string; readonly metric: string | null; readonly ofInstance: boolean },
): Promise<DayFigure[]> {
  const rows = await read({
    name: 'read_trends',
    text: `SELECT date::text AS date, metric, dimensions, value FROM stats_snapshots
            WHERE date >= $1::date AND ($2::text IS NULL OR metric = $2) AND (tenant_id IS NULL) = $3 ORDER BY date, metric, dimensions::text LIMIT 20000`,
    values: [since, metric, ofInstance],
  });
  return z.array(dayRow).parse(rows);
}
