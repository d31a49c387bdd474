import type pg from 'pg';
import { z } from 'zod';
import { rowOf } from '../connection/rows.ts';

/** Requests per window of a bucket. */
export interface RateLimit {
  readonly quota: number;
  readonly windowS: number;
}

const drawnRow = rowOf({ granted: z.int(), remaining: z.int(), ends_in_ms: z.int() });
/** Part of a quota that a process may spend without another draw, what is left beside it, and when the window ends. */
export type DrawnRate = Readonly<z.output<typeof drawnRow>>;

/** Draws up to `want` requests from a bucket that all processes share. */
export async function drawRate(pool: pg.Pool, bucket: string, want: number, limit: RateLimit): Promise<DrawnRate> {
  const { rows } = await pool.query({
    name: 'draw_rate',
    text: 'SELECT granted, remaining, ends_in_ms FROM draw_rate($1, $2, $3, $4)',
    values: [bucket, want, limit.quota, limit.windowS],
  });
  return z.tuple([drawnRow]).parse(rows)[0];
}
