import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { SessionId, TenantId } from '../../../domain/ids.ts';
import { columnOf } from './rows.ts';

/** Questions over all tenants. They take a pool of the maintenance role: as the application's role they would find nothing. */

const sessionRow = z.object({ tenant_id: z.string(), id: z.string() });

/**
 * Sessions that nobody seems to own: rows were captured that the workflow has not taken in for `graceMs`, or the session is still
 * open long after it should have ended, and nothing was done for it since: one that waits, visibly, is not forgotten, and one whose work was cancelled is left alone. Captures that wait come
 * first, the oldest of each before the others; at most `limit`.
 */
export async function forgottenSessions(
  maintenance: pg.Pool,
  graceMs: number,
  overdueMs: number,
  limit: number,
): Promise<{ tenantId: TenantId; sessionId: SessionId }[]> {
  const result = await maintenance.query(
    `(SELECT tenant_id, id FROM sessions
       WHERE last_seq > consumed_seq AND status = 'active' AND phase <> 'cancelled' AND last_event_at < now() - make_interval(secs => $1 / 1000.0)
       ORDER BY last_event_at LIMIT $3)
     UNION ALL
     (SELECT tenant_id, id FROM sessions
       WHERE status = 'active' AND phase <> 'cancelled' AND last_seq = consumed_seq AND greatest(last_event_at, updated_at) < now() - make_interval(secs => $2 / 1000.0)
       ORDER BY last_event_at LIMIT $3)
     LIMIT $3`,
    [graceMs, overdueMs, limit],
  );
  return z
    .array(sessionRow)
    .parse(result.rows)
    .map((row) => ({ tenantId: asId(row.tenant_id), sessionId: asId(row.id) }));
}

const batchRow = z.object({ tenant_id: z.string(), id: z.string(), n: z.number(), gathering: z.boolean() });

/**
 * Provider batches that nobody has looked after for longer than any pause between two looks at one, or that were to be gathered for a day;
 * at most `limit`. One that gathers is sent at once.
 */
export async function forgottenBatches(
  maintenance: pg.Pool,
  limit: number,
): Promise<{ tenantId: TenantId; id: string; n: number; full: boolean }[]> {
  const result = await maintenance.query(
    `SELECT tenant_id, id, n, state = 'gathering' AS gathering FROM model_batches
      WHERE state <> 'ended' AND updated_at < now() - CASE state WHEN 'gathering' THEN interval '25 hours' ELSE interval '45 minutes' END
      ORDER BY updated_at LIMIT $1`,
    [limit],
  );
  return z
    .array(batchRow)
    .parse(result.rows)
    .map((row) => ({ tenantId: asId(row.tenant_id), id: row.id, n: row.n, full: row.gathering }));
}

const tenantRow = z.object({ tenant_id: z.string() });

/** Tenants with vectors that have waited for `graceMs`, or that are to be removed, or that an index is filled with. */
export async function tenantsWithPendingVectors(
  maintenance: pg.Pool,
  graceMs: number,
  limit: number,
): Promise<TenantId[]> {
  const result = await maintenance.query(
    `SELECT tenant_id FROM embeddings WHERE state = 'pending' AND created_at < now() - make_interval(secs => $1 / 1000.0)
     UNION
     SELECT tenant_id FROM embeddings WHERE state = 'removing'
     UNION
     SELECT i.tenant_id FROM embedding_indexes i
      WHERE EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = i.tenant_id AND e.model IN (i.serving_model, i.target_model) AND e.state = 'filling')
     LIMIT $2`,
    [graceMs, limit],
  );
  return z
    .array(tenantRow)
    .parse(result.rows)
    .map((row) => asId<TenantId>(row.tenant_id));
}

/** Gives vectors that the index refused too often another turn, a day after they were given up; answers how many. */
export async function retryFailedVectors(maintenance: pg.Pool): Promise<number> {
  const result = await maintenance.query(
    "UPDATE embeddings SET state = 'pending', attempts = 0, failed_at = NULL WHERE state = 'failed' AND failed_at < now() - interval '1 day'",
  );
  return result.rowCount ?? 0;
}

/** Makes the coming months' partitions of the hot tables; answers how many were new. */
export async function ensurePartitions(maintenance: pg.Pool): Promise<number> {
  const result = await maintenance.query('SELECT ensure_partitions() AS created');
  return columnOf(result.rows, 'created', z.number())[0] ?? 0;
}

const indexedRow = z.object({ tenant_id: z.string(), model: z.string(), object_id: z.string() });

/**
 * Chunks that the vector index took in the last five minutes, at most `limit`. Those that were asked for more than an hour before are left
 * out, so that only the newest part of the ledger is read.
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
  return z
    .array(indexedRow)
    .parse(result.rows)
    .map((row) => ({ tenantId: asId(row.tenant_id), model: row.model, objectId: row.object_id }));
}

/** Wants chunks again that the vector index took and does not have, or has otherwise; answers how many. What is under way for them is written once more. */
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

/** Tenants whose index is another one than the settings ask for, is to be written again, or has one beside it that is being built or is to go. */
export async function tenantsToReindex(maintenance: pg.Pool, wanted: string, limit: number): Promise<TenantId[]> {
  const result = await maintenance.query(
    `SELECT tenant_id FROM embedding_indexes
      WHERE target_model IS NOT NULL OR serving_model <> $1 OR retire_at < now() OR rewrite_before IS NOT NULL LIMIT $2`,
    [wanted, limit],
  );
  return z
    .array(tenantRow)
    .parse(result.rows)
    .map((row) => asId<TenantId>(row.tenant_id));
}
