import type pg from 'pg';
import { z } from 'zod';
import { FIRST_ID } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { columnOf, rowOf, tenantColumn } from '../connection/rows.ts';
import { bindCells } from './retention-groups.ts';
import type { ActingRun } from './retention-groups.ts';
import { pickSql } from './retention-picks.ts';

const MARK = (session: string): string =>
  `concat_ws(' ', ${session}.status, ${session}.last_seq, ${session}.metadata ->> 'restored_at')`;

const sessionRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  run_id: z.string(),
  rule: z.string(),
  action: z.enum(['archive', 'delete']),
  project_id: z.string().nullable(),
  /** YYYY-MM-DD, the first of the month. */
  month: z.string(),
  bytes: z.coerce.number(),
  /** Its state when picked: activity, restoring or archiving changes it. */
  mark: z.string(),
});

/** An expired session, and the action for it. */
export type ExpiredSession = z.output<typeof sessionRow>;

/** Returns the next expired sessions after the given one, at most `limit`. Requires a pool of the maintenance role. */
export async function expiredSessions(
  maintenance: Pick<pg.PoolClient, 'query'>,
  runs: readonly ActingRun[],
  after: string,
  limit: number,
): Promise<ExpiredSession[]> {
  const { cells, named } = bindCells(runs, 'session');
  if (cells.length === 0) return [];
  const { rows } = await maintenance.query(
    `${pickSql('session', `, ${MARK('r')} AS mark`)} SELECT id, tenant AS tenant_id, run AS run_id, rule, action, project AS project_id, month::text AS month, bytes, mark FROM picked ORDER BY id`,
    [JSON.stringify(cells), named, after, limit, '[]', [], FIRST_ID],
  );
  return z.array(sessionRow).parse(rows);
}

/** Returns true if a session is unchanged since it was picked; locks its row until the transaction ends. */
export async function isUnchanged(
  transaction: TenantTransaction,
  session: Pick<ExpiredSession, 'id' | 'mark'>,
): Promise<boolean> {
  const rows = await transaction.$queryRawUnsafe(
    `SELECT ${MARK('s')} AS mark FROM sessions s WHERE s.id = $1::uuid FOR UPDATE`,
    session.id,
  );
  return columnOf(rows, 'mark', z.string())[0] === session.mark;
}
