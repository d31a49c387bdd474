import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { batchRow, sessionRow } from '../connection/maintenance.ts';
import { rowOf, tenantColumn } from '../connection/rows.ts';
import { restartFailedVectors } from '../embeddings/embedding-ledger.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import { restartParked } from './windows.ts';
import type pg from 'pg';
import { FIRST_ID } from '../../../domain/ids.ts';
import type { SessionId, TenantId } from '../../../domain/ids.ts';
import { STUCK_REASONS } from '../../../domain/stuck.ts';

/* Unfinished work: of all tenants through a pool of the maintenance role, of one tenant in its transaction. */

const PAGE = 500;

/** Pages of sessions that are open or have unconsumed rows. */
export async function* liveSessions(
  maintenance: pg.Pool,
): AsyncGenerator<readonly { readonly tenantId: TenantId; readonly sessionId: SessionId }[]> {
  for (let after = FIRST_ID; ;) {
    const { rows } = await maintenance.query(
      `SELECT tenant_id, id AS session_id FROM sessions
        WHERE id > $1 AND (status = 'active' OR last_seq > consumed_seq) AND phase <> 'cancelled' AND status <> 'deleted' ORDER BY id LIMIT $2`,
      [after, PAGE],
    );
    const found = z.array(sessionRow).parse(rows);
    const last = found.at(-1);
    if (last === undefined) return;
    yield found;
    after = last.sessionId;
  }
}

/** Provider batches that are not ended. */
export async function openBatches(
  maintenance: pg.Pool,
): Promise<{ tenantId: TenantId; id: string; n: number; full: boolean }[]> {
  const { rows } = await maintenance.query(
    "SELECT tenant_id, id, n, state = 'gathering' AS full FROM model_batches WHERE state <> 'ended' ORDER BY id",
  );
  return z.array(batchRow).parse(rows);
}

const indexRow = rowOf({ tenant_id: tenantColumn, index: z.string() });

/** Every tenant with every index that it may have vectors in. */
export async function tenantIndexes(
  maintenance: pg.Pool | pg.ClientBase,
): Promise<{ readonly tenantId: TenantId; readonly index: string }[]> {
  const { rows } = await maintenance.query(
    `SELECT DISTINCT i.tenant_id, m.model AS index FROM embedding_indexes i CROSS JOIN LATERAL unnest(ARRAY[i.serving_model, i.target_model, i.retired_model]) AS m(model)
      WHERE m.model IS NOT NULL ORDER BY 1, 2`,
  );
  return z.array(indexRow).parse(rows);
}

export interface StuckBounds {
  /** Captures must be consumed within two rounds of the sweep. */
  readonly sweepMs: number;
  /** A session without an event for this long should be over. */
  readonly idleMs: number;
}

export interface WorkQuery extends StuckBounds {
  /** These sessions alone; null: any. */
  readonly ids: readonly string[] | null;
  readonly projectId: string | null;
  /** `open`: with a workflow that has something to do; `all`: any. */
  readonly only: 'stuck' | 'open' | 'all';
  /** Id of the last session of the page before. */
  readonly before: string | null;
  readonly limit: number;
}

/** Number of newest sessions that are checked. */
const LOOKED_AT = 5_000;
/** The session's workflow waits for ten minutes at most: after that, no progress means stuck. */
const STILL_MS = 15 * 60_000;

const workRow = rowOf({
  id: z.string(),
  user_id: z.string(),
  host: z.string(),
  external_id: z.string(),
  title: z.string().nullable(),
  project_name: z.string().nullable(),
  status: z.string(),
  phase: z.string(),
  waiting_reason: z.string().nullable(),
  last_error: z.string().nullable(),
  events: z.number(),
  pending: z.object({ summarise: z.number(), learn: z.number(), embed: z.number() }),
  windows_parked: z.number(),
  /** Why a window was parked: a closed word. */
  parked_for: z.string().nullable(),
  vectors_failed: z.number(),
  /** Most attempts at a window that is not summarised. */
  attempts: z.number(),
  stuck: z.enum(STUCK_REASONS).nullable(),
  started_at: z.date(),
  last_event_at: z.date(),
  updated_at: z.date(),
});

/** Remaining work of a session, and whether it progresses. */
export type SessionWork = z.output<typeof workRow>;

const SHOWN = Prisma.raw(isNotRestricted('s.id', 's.user_id'));

/** Returns the work of sessions that are not restricted, newest first: one query over the newest `LOOKED_AT` of them, with counts only for the returned ones. */
export async function readSessionWork(transaction: TenantTransaction, query: WorkQuery): Promise<SessionWork[]> {
  const rows = await transaction.$queryRaw`
    WITH candidate AS (
      SELECT s.* FROM sessions s
       WHERE s.tenant_id = (SELECT current_tenant_id()) AND s.status <> 'deleted' AND ${SHOWN}
         AND (${query.ids}::uuid[] IS NULL OR s.id = ANY (${query.ids}::uuid[]))
         AND (${query.projectId}::uuid IS NULL OR s.project_id = ${query.projectId}::uuid)
         AND (${query.before}::uuid IS NULL OR s.id < ${query.before}::uuid)
       ORDER BY s.id DESC LIMIT ${LOOKED_AT}
    ), judged AS (
      SELECT c.*, CASE
        WHEN c.phase = 'cancelled' THEN NULL
        WHEN c.last_seq > c.consumed_seq AND c.last_event_at < now() - make_interval(secs => 2 * ${query.sweepMs} / 1000.0) THEN 'events_unconsumed'
        WHEN EXISTS (SELECT FROM windows w WHERE w.session_id = c.id AND w.state = 'parked') THEN 'windows_parked'
        WHEN EXISTS (SELECT FROM embeddings e WHERE e.session_id = c.id AND e.state = 'failed') THEN 'vectors_failed'
        WHEN c.waiting_reason IS NULL AND c.updated_at < now() - make_interval(secs => ${STILL_MS} / 1000.0)
             -- An open session learns at its end: until then learnings are no work that could progress.
             AND ((c.status = 'active' AND c.phase = 'closing' AND c.infer AND c.learned_seq <> c.last_seq)
                  OR EXISTS (SELECT FROM windows w WHERE w.session_id = c.id AND w.state = 'pending')
                  -- Vectors that wait behind those of other sessions progress.
                  OR (NOT EXISTS (SELECT FROM embedding_counts k WHERE k.tenant_id = c.tenant_id AND k.indexed_at > now() - make_interval(secs => ${STILL_MS} / 1000.0))
                      AND EXISTS (SELECT FROM embeddings e JOIN embedding_indexes i ON i.tenant_id = e.tenant_id AND i.serving_model = e.model WHERE e.session_id = c.id AND e.state = 'pending'))) THEN 'no_progress'
        WHEN c.status = 'active' AND c.waiting_reason IS NULL
             AND greatest(c.last_event_at, c.updated_at) < now() - make_interval(secs => (1.5 * ${query.idleMs} + 2 * ${query.sweepMs}) / 1000.0) THEN 'not_ended'
        END AS stuck
        FROM candidate c
    ), chosen AS (
      SELECT j.* FROM judged j
       WHERE CASE ${query.only} WHEN 'stuck' THEN j.stuck IS NOT NULL WHEN 'open' THEN j.stuck IS NOT NULL OR j.status = 'active' ELSE true END
       ORDER BY j.id DESC LIMIT ${query.limit}
    )
    SELECT j.id, j.user_id, j.host, j.external_id, j.title, p.display_name AS project_name, j.status, j.phase, j.waiting_reason, j.last_error,
           j.prompt_count + j.observation_count AS events, w.parked AS windows_parked, w.parked_for, w.attempts,
           -- Rows without a window count as one pending window.
           jsonb_build_object(
             'summarise', w.pending + (j.last_seq > j.consumed_seq)::integer,
             'learn', (j.status = 'active' AND j.infer AND j.learned_seq <> j.last_seq)::integer,
             'embed', (SELECT count(*) FROM embeddings e JOIN embedding_indexes i ON i.tenant_id = e.tenant_id AND i.serving_model = e.model WHERE e.session_id = j.id AND e.state = 'pending')) AS pending,
           (SELECT count(*) FROM embeddings e WHERE e.session_id = j.id AND e.state = 'failed')::integer AS vectors_failed,
           j.stuck, j.started_at, j.last_event_at, j.updated_at
      FROM chosen j
      LEFT JOIN projects p ON p.id = j.project_id
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE state IN ('pending', 'batched'))::integer AS pending, count(*) FILTER (WHERE state = 'parked')::integer AS parked,
              coalesce(max(attempts) FILTER (WHERE state <> 'summarised'), 0) AS attempts, max(split_part(error, ':', 1)) FILTER (WHERE state = 'parked') AS parked_for
         FROM windows w WHERE w.session_id = j.id) AS w
     ORDER BY j.id DESC`;
  return z.array(workRow).parse(rows);
}

/** Requeues the failed work of a session: parked windows and rejected vectors. Returns the number of each. */
export async function requeueAbandoned(
  transaction: TenantTransaction,
  sessionId: string,
): Promise<{ readonly windows: number; readonly vectors: number }> {
  const windows = await restartParked(transaction, sessionId);
  const vectors = await restartFailedVectors(transaction, sessionId);
  // A settled session is opened for what it is given to do.
  if (windows > 0)
    await transaction.$executeRaw`
      UPDATE sessions SET status = 'active', phase = 'active', ended_at = NULL, updated_at = now() WHERE id = ${sessionId}::uuid AND status = 'ended'`;
  return { windows, vectors };
}
