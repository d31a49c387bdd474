import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';

const secondsRow = z.object({ seconds: z.number() });

/**
 * Marks those of the sessions as searchable that have ended and have a vector for each chunk. Returns for each the seconds since the capture of its end; nothing
 * for a session that was marked before, that has not ended, or that was imported.
 */
export async function markSearchable(
  pool: pg.Pool,
  tenantId: TenantId,
  sessionIds: readonly string[],
): Promise<number[]> {
  if (sessionIds.length === 0) return [];
  const { rows } = await pool.query({
    name: 'mark_searchable',
    text: 'SELECT seconds FROM mark_searchable($1, $2)',
    values: [tenantId, sessionIds],
  });
  return z
    .array(secondsRow)
    .parse(rows)
    .map(({ seconds }) => seconds);
}
