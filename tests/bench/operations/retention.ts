import type pg from 'pg';
import { v7 } from 'uuid';
import { asId, FIRST_ID } from '../../../domain/ids.ts';
import { treatBatch } from '../../../stores/postgres/retention/retention-batches.ts';
import type { ActingRun } from '../../../stores/postgres/retention/retention-groups.ts';
import {
  detachMonth,
  dropMonth,
  followMonth,
  pastMonths,
  followSessions,
} from '../../../stores/postgres/retention/retention-months.ts';

/** Input of the retention benchmark: a past month of observations. */
export interface RetentionBench {
  readonly superuser: Pick<pg.Client, 'query'>;
  readonly maintenance: pg.Pool;
}

export interface RetentionFigures {
  /** Time to count and drop the month's table. */
  readonly dropSeconds: number;
  /** Between the two: queueing the removal of vectors and graph entries, without blocking others. */
  readonly followSeconds: number;
  readonly droppedRows: number;
  /** Row by row, in batches. */
  readonly rowsPerSecond: number;
  readonly batchedRows: number;
}

/** Share of the month's rows that is deleted row by row; the others are dropped with the month. */
const BATCHED_SHARE = 0.2;
const ROWS_AT_ONCE = 5_000;

async function number(client: Pick<pg.Client, 'query'>, sql: string): Promise<number> {
  const { rows } = await client.query<{ n: string }>(sql);
  return Number(rows[0]?.n ?? 0);
}

/** Deletes a fifth of the oldest past month's observations row by row, and drops the rest with their month. @throws Error if there is no such month */
export async function benchRetention({ superuser, maintenance }: RetentionBench): Promise<RetentionFigures> {
  // Recent and open sessions are excluded; recent writes count as a day old.
  await superuser.query(
    "UPDATE sessions SET status = 'ended', phase = 'settled', ended_at = now() WHERE status = 'active'",
  );
  await superuser.query('VACUUM ANALYZE observations');
  const months = await pastMonths(maintenance, new Date());
  let month = null;
  for (const one of months.filter(({ resource }) => resource === 'observation'))
    if (
      (await number(superuser, `SELECT count(*) AS n FROM observations_${one.month.slice(0, 7).replace('-', '_')}`)) > 0
    )
      month ??= one;
  if (month === null) throw new Error('no past month has observations');
  const table = `observations_${month.month.slice(0, 7).replace('-', '_')}`;
  const total = await number(superuser, `SELECT count(*) AS n FROM ${table}`);
  const { rows: tenants } = await superuser.query<{ tenant_id: string }>(`SELECT DISTINCT tenant_id FROM ${table}`);
  const groupId = v7();
  const runs: ActingRun[] = [];
  for (const { tenant_id: tenantId } of tenants) {
    const runId = v7();
    await superuser.query(
      "INSERT INTO retention_runs (id, tenant_id, group_id, mode, policy_hash, reference_time) VALUES ($1, $2, $3, 'run', sha256('bench'), now())",
      [runId, tenantId, groupId],
    );
    const rule = {
      id: 'bench',
      projectId: null,
      resource: 'observation',
      dataClass: null,
      ageDays: 1,
      action: 'delete',
    } as const;
    runs.push({ tenantId: asId(tenantId), runId, referenceTime: new Date(), rules: [rule] });
  }
  const wanted = Math.floor(total * BATCHED_SHARE);
  let batched = 0;
  let after: string | null = FIRST_ID;
  const began = performance.now();
  while (after !== null && batched < wanted) {
    const done = await treatBatch(maintenance, {
      resource: 'observation',
      isDry: false,
      runs,
      groupId,
      after,
      limit: ROWS_AT_ONCE,
    });
    batched += done.rows;
    ({ after } = done);
  }
  const batchSeconds = (performance.now() - began) / 1_000;
  // A run drops months first: the rest of single rows is not measured.
  await superuser.query('VACUUM observations');
  await superuser.query('CHECKPOINT');
  const dropBegan = performance.now();
  const droppedRows = await detachMonth(maintenance, runs, month);
  if (droppedRows === null) throw new Error('the month was not dropped');
  const followBegan = performance.now();
  for (let from: string | null = null, more = true; more;)
    ({ from, more } = await followMonth(maintenance, month, from));
  for (let from: string | null = null, more = true; more;)
    ({ from, more } = await followSessions(maintenance, month, from));
  const followMs = performance.now() - followBegan;
  await dropMonth(maintenance, month);
  const tenths = (ms: number): number => Math.round(ms / 100) / 10;
  return {
    dropSeconds: tenths(performance.now() - dropBegan - followMs),
    followSeconds: tenths(followMs),
    droppedRows,
    rowsPerSecond: Math.round(batched / batchSeconds),
    batchedRows: batched,
  };
}
