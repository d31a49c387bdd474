import type pg from 'pg';
import { z } from 'zod';
import { asId, FIRST_ID } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { bindCells } from './retention-groups.ts';
import type { ActingRun } from './retention-groups.ts';
import { pickSql } from './retention-picks.ts';

/** An expired session, and the action for it. */
export interface ExpiredSession {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly runId: string;
  readonly rule: string;
  readonly action: 'archive' | 'delete';
  readonly projectId: string | null;
  /** YYYY-MM-DD, the first of the month. */
  readonly month: string;
  readonly bytes: number;
  /** Its state when picked: activity, restoring or archiving changes it. */
  readonly mark: string;
}

const MARK = (session: string): string =>
  `concat_ws(' ', ${session}.status, ${session}.last_seq, ${session}.metadata ->> 'restored_at')`;

const sessionRow = z.object({
  id: z.string(),
  tenant: z.string(),
  run: z.string(),
  rule: z.string(),
  action: z.enum(['archive', 'delete']),
  project: z.string().nullable(),
  month: z.string(),
  bytes: z.coerce.number(),
  mark: z.string(),
});

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
    `${pickSql('session', `, ${MARK('r')} AS mark`)} SELECT id, tenant, run, rule, action, project, month::text AS month, bytes, mark FROM picked ORDER BY id`,
    [JSON.stringify(cells), named, after, limit, '[]', [], FIRST_ID],
  );
  return z
    .array(sessionRow)
    .parse(rows)
    .map((row) => ({
      id: row.id,
      tenantId: asId<TenantId>(row.tenant),
      runId: row.run,
      rule: row.rule,
      action: row.action,
      projectId: row.project,
      month: row.month,
      bytes: row.bytes,
      mark: row.mark,
    }));
}

/** Returns true if a session is unchanged since it was picked; locks its row until the transaction ends. */
export async function isUnchanged(
  transaction: TenantTransaction,
  session: Pick<ExpiredSession, 'id' | 'mark'>,
): Promise<boolean> {
  const rows = await transaction.$queryRawUnsafe<{ mark: string }[]>(
    `SELECT ${MARK('s')} AS mark FROM sessions s WHERE s.id = $1::uuid FOR UPDATE`,
    session.id,
  );
  return rows[0]?.mark === session.mark;
}
