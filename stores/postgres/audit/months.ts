import type pg from 'pg';
import { z } from 'zod';
import { columnOf } from '../connection/rows.ts';

const SQLSTATE = z.object({ code: z.string() });
/** A legal hold, or the table was locked for seconds: the next run tries again. */
const NOT_NOW = new Set(['RT001', '55P03', '40P01']);

/**
 * Drops the months of the audit log that are over for `days` days and under no legal hold, the oldest first, and the anchors of their rows. Returns the
 * number of rows. `maintenance` is of the maintenance role.
 */
export async function dropAuditMonths(maintenance: pg.Pool, days: number): Promise<number> {
  const { rows } = await maintenance.query(
    `SELECT to_char(part.month, 'YYYY-MM-DD') AS month
       FROM (SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
              WHERE i.inhparent = 'audit_log'::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$') AS part
      WHERE (part.month::timestamp + interval '1 month') AT TIME ZONE 'UTC' <= now() - make_interval(days => $1) ORDER BY 1`,
    [days],
  );
  let dropped = 0;
  for (const month of columnOf(rows, 'month', z.string()))
    try {
      const result = await maintenance.query('SELECT drop_audit_month($1, $2) AS rows', [month, days]);
      dropped += columnOf(result.rows, 'rows', z.coerce.number())[0] ?? 0;
    } catch (error) {
      const code = SQLSTATE.safeParse(error);
      if (!code.success || !NOT_NOW.has(code.data.code)) throw error;
      // The chain has one beginning: no later month goes before this one.
      break;
    }
  await maintenance.query(
    'DELETE FROM audit_anchors a USING audit_heads h WHERE h.tenant_id = a.tenant_id AND a.seq < h.base_seq AND a.anchored_at < h.base_before',
  );
  return dropped;
}
