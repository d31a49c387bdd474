import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { SessionId, TenantId } from '../../../domain/ids.ts';
import { columnOf, rowOf, tenantColumn } from './rows.ts';

/** Migrations that a killed run began in this database and never finished. The client is the owner's. */
export async function unfinishedMigrations(owner: pg.ClientBase): Promise<string[]> {
  const ledger = await owner.query("SELECT 1 WHERE to_regclass('_prisma_migrations') IS NOT NULL");
  if (ledger.rowCount === 0) return [];
  const rows = await owner.query(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NULL AND rolled_back_at IS NULL',
  );
  return columnOf(rows.rows, 'name', z.string());
}

/** Queries over all tenants. They need a pool of the maintenance role: the application role would find nothing. */

export const sessionRow = rowOf({
  tenant_id: tenantColumn,
  session_id: z.string().transform((id) => asId<SessionId>(id)),
});

/** Times after which the sweep hints a session, in ms. */
export interface HintTimes {
  /** Captured rows were not consumed. */
  readonly graceMs: number;
  /** The session had no event and no change, and is still active. */
  readonly overdueMs: number;
  /** The hint of an earlier sweep was not consumed: Temporal has it, unless the workflow was ended or its database was lost. */
  readonly repeatMs: number;
}

/** Hints are sent within seconds: after this time a session whose sweep was killed is due again. */
const SENDING_MS = 45_000;

/**
 * Returns sessions whose workflow may have lost its hint or its run, in no order, and excludes them from other sweeps for `SENDING_MS`. Without cancelled sessions,
 * those with a hint that is not consumed yet, and those that are being captured at this moment. At most `limit`, unconsumed captures first, each oldest first.
 */
export async function sessionsToHint(
  maintenance: pg.Pool,
  { graceMs, overdueMs, repeatMs }: HintTimes,
  limit: number,
): Promise<{ tenantId: TenantId; sessionId: SessionId }[]> {
  const result = await maintenance.query(
    `WITH due AS (
       SELECT s.id FROM sessions s
        WHERE s.status = 'active' AND s.phase <> 'cancelled' AND (s.hinted_at IS NULL OR s.hinted_at < now() - make_interval(secs => $3 / 1000.0))
          AND CASE WHEN s.last_seq > s.consumed_seq THEN s.last_event_at < now() - make_interval(secs => $1 / 1000.0)
                   ELSE greatest(s.last_event_at, s.updated_at) < now() - make_interval(secs => $2 / 1000.0) END
        ORDER BY s.last_seq = s.consumed_seq, s.last_event_at LIMIT $4
     ), free AS (
       -- In the order of captures, which wait for these rows no longer than this statement takes.
       SELECT s.id FROM sessions s WHERE s.id IN (SELECT id FROM due) ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE sessions s SET hinted_at = now() - make_interval(secs => ($3 - ${SENDING_MS}) / 1000.0) FROM free WHERE s.id = free.id RETURNING s.tenant_id, s.id AS session_id`,
    [graceMs, overdueMs, repeatMs, limit],
  );
  return z.array(sessionRow).parse(result.rows);
}

/** Records the outcome of `sessionsToHint`: sent hints, and others, which are due again. A session that was consumed meanwhile stays so. */
export async function noteHints(
  maintenance: pg.Pool,
  sessionIds: readonly string[],
  sentIds: readonly string[],
): Promise<void> {
  if (sessionIds.length === 0) return;
  await maintenance.query(
    `UPDATE sessions s SET hinted_at = CASE WHEN s.id = ANY ($2::uuid[]) THEN now() END
       FROM (SELECT id FROM sessions WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE) AS hinted WHERE s.id = hinted.id AND s.hinted_at IS NOT NULL`,
    [sessionIds, sentIds],
  );
}

export const batchRow = rowOf({ tenant_id: tenantColumn, id: z.string(), n: z.number(), full: z.boolean() });

/**
 * Returns provider batches that were not polled for longer than any pause between two polls, or that have been gathering for a day (`full`: submit at once);
 * at most `limit`.
 */
export async function batchesToHint(
  maintenance: pg.Pool,
  limit: number,
): Promise<{ tenantId: TenantId; id: string; n: number; full: boolean }[]> {
  const result = await maintenance.query(
    `SELECT tenant_id, id, n, state = 'gathering' AS full FROM model_batches
      WHERE state <> 'ended' AND updated_at < now() - CASE state WHEN 'gathering' THEN interval '25 hours' ELSE interval '45 minutes' END
      ORDER BY updated_at LIMIT $1`,
    [limit],
  );
  return z.array(batchRow).parse(result.rows);
}

const jobRow = rowOf({
  workflow: z.enum(['consistencyRun', 'erasureRun', 'exportRun', 'fileImport', 'retentionRun', 'restoreDrill']),
  tenant_id: tenantColumn,
  id: z.string(),
  /** Of a consistency check. */
  repair: z.boolean(),
});

/** A job, by its row. */
export type JobToStart = z.output<typeof jobRow>;

/**
 * Returns requested jobs that have been running for `graceMs`, oldest first, at most `limit`: their rows are written before their workflows start, which fails without
 * Temporal. Without restores, which `endUnstarted` ends.
 */
export async function jobsToStart(maintenance: pg.Pool, graceMs: number, limit: number): Promise<JobToStart[]> {
  const result = await maintenance.query(
    `SELECT job.workflow, job.tenant_id, job.id, job.repair FROM (
       SELECT 'erasureRun' AS workflow, tenant_id, id, created_at, false AS repair FROM erasures WHERE state = 'running'
       UNION ALL SELECT 'exportRun', tenant_id, id, created_at, false FROM exports WHERE state = 'running'
       UNION ALL SELECT 'fileImport', tenant_id, id, created_at, false FROM imports WHERE kind = 'file' AND state = 'running'
       UNION ALL SELECT 'consistencyRun', tenant_id, id, created_at, repair FROM consistency_checks WHERE user_id IS NOT NULL AND state = 'running'
       UNION ALL SELECT 'retentionRun', tenant_id, id, created_at, false FROM retention_runs WHERE user_id IS NOT NULL AND state = 'running'
       UNION ALL SELECT 'restoreDrill', t.id, r.id, r.created_at, false FROM restores r JOIN tenants t ON t.is_operator
                  WHERE r.kind = 'drill' AND r.requested_by IS NOT NULL AND r.state = 'running') AS job
      WHERE job.created_at < now() - make_interval(secs => $1 / 1000.0) ORDER BY job.created_at LIMIT $2`,
    [graceMs, limit],
  );
  return z.array(jobRow).parse(result.rows);
}

/** Returns tenants with vectors that are pending for `graceMs`, to be removed, or to be filled into an index. */
export async function tenantsWithPendingVectors(
  maintenance: pg.Pool,
  graceMs: number,
  limit: number,
): Promise<TenantId[]> {
  const result = await maintenance.query(
    `SELECT tenant_id FROM embeddings WHERE state = 'pending' AND created_at < now() - make_interval(secs => $1 / 1000.0)
     UNION
     SELECT t.id FROM tenants t WHERE EXISTS (SELECT FROM embedding_removals r WHERE r.tenant_id = t.id)
     UNION
     SELECT i.tenant_id FROM embedding_indexes i
      WHERE EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = i.tenant_id AND e.model IN (i.serving_model, i.target_model) AND e.state = 'filling')
     LIMIT $2`,
    [graceMs, limit],
  );
  return columnOf(result.rows, 'tenant_id', tenantColumn);
}

/** Retries failed vectors after a day; returns their number. */
export async function retryFailedVectors(maintenance: pg.Pool): Promise<number> {
  const result = await maintenance.query(
    "UPDATE embeddings SET state = 'pending', attempts = 0, failed_at = NULL WHERE state IN ('failed', 'withheld') AND failed_at < now() - interval '1 day'",
  );
  return result.rowCount ?? 0;
}

/** Creates the coming months' partitions of the hot tables; returns the number of new ones. */
export async function ensurePartitions(maintenance: pg.Pool): Promise<number> {
  const result = await maintenance.query('SELECT ensure_partitions() AS created');
  return columnOf(result.rows, 'created', z.number())[0] ?? 0;
}

const indexedRow = rowOf({ tenant_id: tenantColumn, model: z.string(), object_id: z.string() });

/**
 * Returns at most `limit` chunks that were indexed in the last five minutes and requested in the last hour: only the newest part of the ledger is read.
 */
export async function lastIndexed(
  maintenance: pg.Pool,
  limit: number,
): Promise<{ tenantId: TenantId; model: string; objectId: string }[]> {
  const result = await maintenance.query(
    `SELECT e.tenant_id, e.model, e.object_id
       FROM (SELECT lpad(to_hex((extract(epoch FROM now() - interval '1 hour') * 1000)::bigint), 12, '0') AS ms) AS hour
       JOIN embeddings e ON e.id >= (left(hour.ms, 8) || '-' || right(hour.ms, 4) || '-0000-0000-000000000000')::uuid
      WHERE e.state = 'indexed' AND e.indexed_at > now() - interval '5 minutes' LIMIT $1`,
    [limit],
  );
  return z.array(indexedRow).parse(result.rows);
}

/** Requests indexed chunks again that the vector index lacks or has with other content; returns their number. */
export async function requestAgain(
  maintenance: pg.Pool,
  tenantId: TenantId,
  model: string,
  objectIds: readonly string[],
): Promise<number> {
  if (objectIds.length === 0) return 0;
  const result = await maintenance.query(
    `UPDATE embeddings SET state = 'pending', revision = revision + 1, attempts = 0
      WHERE id IN (SELECT id FROM embeddings WHERE tenant_id = $1 AND model = $2 AND object_id = ANY ($3::uuid[]) AND state = 'indexed' ORDER BY id FOR UPDATE)`,
    [tenantId, model, objectIds],
  );
  return result.rowCount ?? 0;
}

/** Returns tenants whose index differs from the settings, is rewritten, or has a target or retired index. */
export async function tenantsToReindex(maintenance: pg.Pool, targetModel: string, limit: number): Promise<TenantId[]> {
  const result = await maintenance.query(
    `SELECT tenant_id FROM embedding_indexes
      WHERE target_model IS NOT NULL OR serving_model <> $1 OR retire_at < now() OR rewrite_before IS NOT NULL LIMIT $2`,
    [targetModel, limit],
  );
  return columnOf(result.rows, 'tenant_id', tenantColumn);
}
