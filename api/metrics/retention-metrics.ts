import type pg from 'pg';
import type { Counter } from 'prom-client';
import { z } from 'zod';
import { scrapeStep } from './scrape-step.ts';

const totalRow = z.object({ resource: z.string(), action: z.string(), rows: z.coerce.number() });

/**
 * Counts rows processed by retention since this process started counting, from its reports, because workers are not scraped. Returns the step that a scrape
 * runs; it never fails.
 */
export function createRetentionObserver(pool: pg.Pool, rows: Counter<'type' | 'action'>): () => Promise<void> {
  let seen: ReadonlyMap<string, number> | null = null;

  const look = async (): Promise<void> => {
    const result = await pool.query('SELECT resource, action, rows FROM retention_totals()');
    const totals = z.array(totalRow).parse(result.rows);
    for (const { resource: type, action, rows: total } of seen === null ? [] : totals)
      // Reports that went with their tenant take nothing back: a counter never goes down.
      rows.inc({ type, action }, Math.max(0, total - (seen?.get(`${type} ${action}`) ?? 0)));
    seen = new Map(totals.map((total) => [`${total.resource} ${total.action}`, total.rows]));
  };

  return scrapeStep(look);
}
