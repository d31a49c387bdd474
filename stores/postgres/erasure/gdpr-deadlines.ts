import type pg from 'pg';
import { z } from 'zod';
import { DUE_SOON_DAYS } from '../../../domain/erasure/gdpr-request.ts';
import { rowOf } from '../connection/rows.ts';

const deadlines = rowOf({ overdue: z.coerce.number(), due_soon: z.coerce.number() });
export type Deadlines = z.output<typeof deadlines>;

/** Returns the number of open requests of all tenants that are overdue, and that are due within seven days. */
export async function readDeadlines(pool: pg.Pool): Promise<Deadlines> {
  const { rows } = await pool.query('SELECT * FROM gdpr_deadlines(make_interval(days => $1))', [DUE_SOON_DAYS]);
  return deadlines.parse(rows[0]);
}

/** Creates an alert for the admins of each tenant with a request that is overdue or due within seven days, once a day; returns the number of alerts. */
export async function alertDeadlines(maintenance: pg.Pool): Promise<number> {
  const { rowCount } = await maintenance.query(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details)
     SELECT uuidv7(), u.tenant_id, u.id, 'gdpr_deadline', (now() AT TIME ZONE 'UTC')::date,
            jsonb_build_object('overdue', due.overdue, 'due_soon', due.n - due.overdue, 'next_due_at', due.next)
       FROM (SELECT tenant_id, count(*) AS n, count(*) FILTER (WHERE due_at <= now()) AS overdue, min(due_at) AS next FROM gdpr_requests
              WHERE finished_at IS NULL AND due_at <= now() + make_interval(days => $1) GROUP BY tenant_id) AS due
       JOIN users u ON u.tenant_id = due.tenant_id AND u.role = 'admin' AND u.active
     ON CONFLICT DO NOTHING`,
    [DUE_SOON_DAYS],
  );
  return rowCount ?? 0;
}
