import type pg from 'pg';
import {
  ensurePartitions,
  forgottenBatches,
  forgottenSessions,
  retryFailedVectors,
  tenantsToReindex,
  tenantsWithPendingVectors,
} from '../../stores/postgres/maintenance.ts';
import { pruneEmbeddingCache, sweepOld } from '../../stores/postgres/retention.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { MaintenanceActivities } from '../../workflows/operations/types.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { findLostVectors } from './lost-vectors.ts';

export interface MaintenanceDependencies {
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly hints: WorkflowHints;
  readonly vectors: VectorIndex;
  /** Name of the index that the settings ask for. */
  readonly indexName: string;
  /** Vectors of texts that are kept of a tenant. */
  readonly cacheEntries: number;
  /** A session without an event for this long should have been ended by its workflow. */
  readonly idleMs: number;
}

/** A hint that is on its way is not lost yet. */
const GRACE_MS = 10_000;
/** How long past its idle time a session may stay open before its workflow is looked for. */
const OVERDUE_FACTOR = 1.5;
/** Of one sweep: 280 hints a second is what one Temporal client was seen to do. */
const MAX_SESSIONS = 2_000;
const MAX_TENANTS = 500;
const AT_ONCE = 16;

/** Tells workflows, some at a time; throws only where none could be told. */
async function tellAll(told: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let start = 0; start < told.length; start += AT_ONCE) {
    // One hint that fails must not keep the others from theirs.
    const results = await Promise.allSettled(told.slice(start, start + AT_ONCE).map((tell) => tell()));
    for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
  }
  if (told.length > 0 && failures.length === told.length) throw failures[0];
}

/** Jobs over all tenants. */
export function createMaintenanceActivities({
  maintenance,
  hints,
  vectors,
  indexName,
  cacheEntries,
  idleMs,
}: MaintenanceDependencies): MaintenanceActivities {
  return {
    async sweepCaptures() {
      // Captures first: a vector index that does not answer must not keep a session waiting.
      const sessions = await forgottenSessions(maintenance, GRACE_MS, idleMs * OVERDUE_FACTOR, MAX_SESSIONS);
      await tellAll(sessions.map((session) => () => hints.session(session.tenantId, session.sessionId)));
      await retryFailedVectors(maintenance);
      await findLostVectors(maintenance, vectors);
      const tenants = await tenantsWithPendingVectors(maintenance, GRACE_MS, MAX_TENANTS);
      await tellAll(tenants.map((tenantId) => () => hints.index(tenantId)));
      const changed = await tenantsToReindex(maintenance, indexName, MAX_TENANTS);
      await tellAll(changed.map((tenantId) => () => hints.reindex(tenantId)));
      const batches = await forgottenBatches(maintenance, MAX_TENANTS);
      await tellAll(
        batches.map(
          ({ tenantId, ...batch }) =>
            () =>
              hints.modelBatch(tenantId, batch),
        ),
      );
      return { sessions: sessions.length, tenants: tenants.length };
    },
    async ensurePartitions() {
      // Partitions first: without them nothing can be captured.
      const created = await ensurePartitions(maintenance);
      await sweepOld(maintenance);
      await pruneEmbeddingCache(maintenance, cacheEntries);
      return { created };
    },
  };
}
