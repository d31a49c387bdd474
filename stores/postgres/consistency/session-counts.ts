import type pg from 'pg';
import { z } from 'zod';

/**
 * Sessions whose counts of prompts or observations are wrong. A count is right if it matches the rows, or the keys, which also cover rows that retention
 * deleted. Archived sessions are not checked. One statement sees one snapshot, so that a running capture is in all counts or in none.
 */
const WRONG = `
  SELECT s.id, s.last_seq, k.prompts, k.observations
    FROM sessions s
   CROSS JOIN LATERAL (SELECT count(*) AS n FROM prompts WHERE session_id = s.id) AS p
   CROSS JOIN LATERAL (SELECT count(*) AS n FROM observations WHERE session_id = s.id) AS o
   CROSS JOIN LATERAL (SELECT count(DISTINCT row_id) FILTER (WHERE kind = 'prompt') AS prompts, count(DISTINCT row_id) FILTER (WHERE kind = 'observation') AS observations
                         FROM capture_keys WHERE session_id = s.id) AS k
   WHERE s.id = ANY ($1::uuid[]) AND s.status <> 'deleted' AND NOT EXISTS (SELECT FROM archives a WHERE a.session_id = s.id)
     AND (s.prompt_count NOT IN (p.n, k.prompts) OR s.observation_count NOT IN (o.n, k.observations))`;

const wrongRow = z.object({
  id: z.string(),
  last_seq: z.number(),
  prompts: z.coerce.number(),
  observations: z.coerce.number(),
});
export type WrongCount = z.output<typeof wrongRow>;

/** Returns those of these sessions whose counts are wrong, with the correct counts: captured and not forgotten rows. */
export async function wrongCounts(maintenance: pg.Pool, sessionIds: readonly string[]): Promise<WrongCount[]> {
  const { rows } = await maintenance.query(WRONG, [sessionIds]);
  return z.array(wrongRow).parse(rows);
}

/** Corrects the counts of sessions; returns the number of corrected ones. Sessions with new captures are left to the next check. */
export async function repairCounts(maintenance: pg.Pool, wrong: readonly WrongCount[]): Promise<number> {
  const result = await maintenance.query(
    `UPDATE sessions s SET prompt_count = w.prompts, observation_count = w.observations
       FROM jsonb_to_recordset($1::jsonb) AS w(id uuid, last_seq integer, prompts integer, observations integer) WHERE s.id = w.id AND s.last_seq = w.last_seq`,
    [JSON.stringify(wrong)],
  );
  return result.rowCount ?? 0;
}
