import type pg from 'pg';
import { z } from 'zod';

const figureRow = z.object({ figure: z.string(), label: z.string(), value: z.number() });

/** A number about the instance; `label` is '' unless the figure has several. */
export type InstanceFigure = z.output<typeof figureRow>;

/** Returns the figures of the instance for the metrics, of all tenants together. `dailyTokens`: of users without a quota of their own. */
export async function readInstanceFigures(pool: pg.Pool, dailyTokens: number): Promise<InstanceFigure[]> {
  const { rows } = await pool.query({
    name: 'instance_figures',
    text: 'SELECT figure, label, value FROM instance_figures($1)',
    values: [dailyTokens],
  });
  return z.array(figureRow).parse(rows);
}
