import { z } from 'zod';
import type { TenantRead } from '../connection/database.ts';

/** A figure of one day, or of now. */
export interface Figure {
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface DayFigure extends Figure {
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
