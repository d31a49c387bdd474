import { v7 } from 'uuid';
import { z } from 'zod';
import { RETAINED } from '../../../domain/retention/policy.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import type { RetentionMode, WorkState } from '../../../domain/jobs.ts';
import { RETENTION_MODES, WORK_STATES } from '../../../domain/jobs.ts';

const runRow = rowOf({
  id: z.string(),
  mode: z.enum(RETENTION_MODES),
  state: z.enum(WORK_STATES),
  policy_hash: z.string(),
  reference_time: z.date(),
  user_id: z.string().nullable(),
  error: z.string().nullable(),
  approved_by: z.string().nullable(),
  approved_at: z.date().nullable(),
  created_at: z.date(),
  finished_at: z.date().nullable(),
  rows: z.coerce.number(),
  bytes: z.coerce.number(),
});
export type StoredRun = z.output<typeof runRow>;

/** Runs of the tenant, the newest first, and how many there are. With `id` that one alone. */
export async function listRuns(
  transaction: TenantTransaction,
  page: { readonly id: string | null; readonly limit: number; readonly offset: number },
): Promise<{ readonly runs: StoredRun[]; readonly total: number }> {
  const rows = await transaction.$queryRaw`
    SELECT r.id, r.mode, r.state, encode(r.policy_hash, 'hex') AS policy_hash, r.reference_time, r.user_id, r.error, r.approved_by, r.approved_at, r.created_at, r.finished_at,
           c.rows, c.bytes
      FROM (SELECT * FROM retention_runs WHERE ${page.id}::uuid IS NULL OR id = ${page.id}::uuid ORDER BY id DESC LIMIT ${page.limit} OFFSET ${page.offset}) AS r
     CROSS JOIN LATERAL (SELECT coalesce(sum(rows), 0)::bigint AS rows, coalesce(sum(bytes), 0)::bigint AS bytes FROM retention_counts WHERE run_id = r.id) AS c
     ORDER BY r.id DESC`;
  const total = page.id === null ? await transaction.retentionRun.count() : 1;
  return { runs: z.array(runRow).parse(rows), total };
}

/** Returns a run; null if the tenant has none with this id. */
export async function readRun(transaction: TenantTransaction, id: string): Promise<StoredRun | null> {
  return (await listRuns(transaction, { id, limit: 1, offset: 0 })).runs[0] ?? null;
}

const countRow = rowOf({
  /** A policy's id, or `default`. */
  rule: z.string(),
  resource: z.enum(RETAINED),
  action: z.string(),
  project_id: z.string().nullable(),
  /** Empty where the kind has none. */
  data_class: z.string(),
  /** YYYY-MM. */
  month: z.string(),
  rows: z.coerce.number(),
  bytes: z.coerce.number(),
});

/** Number of affected rows, and the reason. */
export type RetentionCount = z.output<typeof countRow>;

/** Returns the counts of a run, at most `limit` lines, highest numbers first. */
export async function readCounts(
  transaction: TenantTransaction,
  runId: string,
  limit: number,
): Promise<RetentionCount[]> {
  const rows = await transaction.$queryRaw`
    SELECT rule, resource, action, project_id, data_class, to_char(month, 'YYYY-MM') AS month, rows, bytes
      FROM retention_counts WHERE run_id = ${runId}::uuid ORDER BY rows DESC, resource, action, month, data_class, id LIMIT ${limit}`;
  return z.array(countRow).parse(rows);
}

/** A new run, or the tenant's own of the same mode and hash that runs already. */
export async function openRun(
  transaction: TenantTransaction,
  run: {
    readonly tenantId: string;
    /** Null: the run is a group of its own. */
    readonly groupId: string | null;
    readonly mode: RetentionMode;
    readonly hash: string;
    readonly userId: string | null;
    readonly now: Date;
  },
): Promise<string> {
  const policyHash = Buffer.from(run.hash, 'hex');
  if (run.groupId === null) {
    const running = await transaction.retentionRun.findFirst({
      where: { mode: run.mode, state: 'running', policyHash, userId: { not: null } },
      select: { id: true },
    });
    if (running !== null) return running.id;
  }
  const id = v7();
  const groupId = run.groupId ?? id;
  await transaction.retentionRun.createMany({
    data: [
      { id, groupId, tenantId: run.tenantId, mode: run.mode, policyHash, userId: run.userId, referenceTime: run.now },
    ],
    skipDuplicates: true,
  });
  const made = await transaction.retentionRun.findUniqueOrThrow({
    where: { groupId_tenantId: { groupId, tenantId: run.tenantId } },
    select: { id: true },
  });
  return made.id;
}

/** Ends an active run. `error`: the type of the failure; null retains what was recorded for sessions that remained. */
export async function finishRun(
  transaction: TenantTransaction,
  id: string,
  state: Exclude<WorkState, 'running'>,
  error: string | null,
): Promise<void> {
  await transaction.retentionRun.updateMany({
    where: { id, state: 'running' },
    data: { state, ...(error === null ? {} : { error }), finishedAt: new Date() },
  });
}

/** Approves a completed dry run; returns false if there is none. */
export async function approveRun(transaction: TenantTransaction, id: string, userId: string): Promise<boolean> {
  const { count } = await transaction.retentionRun.updateMany({
    where: { id, mode: 'dry_run', state: 'completed', approvedAt: null },
    data: { approvedAt: new Date(), approvedBy: userId },
  });
  return count > 0;
}
