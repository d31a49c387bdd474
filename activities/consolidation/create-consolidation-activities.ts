import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { pruneUnnamed, scopesAfter, tenantsToPrune } from '../../stores/postgres/learnings/consolidation.ts';
import type { ConsolidationActivities } from '../../workflows/consolidation/types.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import type { NeighbourDependencies } from '../learning/compare-drafts.ts';
import { consolidateScope } from './consolidate-scope.ts';
import { reportProgress, resumeWithHeartbeat } from '../heartbeat.ts';

export interface ConsolidationDependencies extends NeighbourDependencies {
  /** As the maintenance role, which alone sees all tenants. */
  readonly maintenance: pg.Pool;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
}

const counts = z.object({
  scopes: z.number(),
  duplicates: z.number(),
  superseded: z.number(),
  decayed: z.number(),
  pruned: z.number(),
});
/** Position of an attempt: ids and a label, no captured text. */
const detailsSchema = z.object({
  after: z.object({ tenantId: z.string(), projectId: z.string().nullable(), namespace: z.string() }).nullable(),
  counts,
});
type Details = z.output<typeof detailsSchema>;

const START: Details = { after: null, counts: { scopes: 0, duplicates: 0, superseded: 0, decayed: 0, pruned: 0 } };
const SCOPES = 100;
const PRUNED = 1_000;
const TENANTS = 1_000;

/** Consolidates learnings. Every step is repeatable. */
export function createConsolidationActivities(dependencies: ConsolidationDependencies): ConsolidationActivities {
  const { database, maintenance, hints, clock } = dependencies;

  const consolidate = async (from: Details, signal: AbortSignal, report: (details: Details) => void) => {
    let { after } = from;
    const done = { ...from.counts };
    for (;;) {
      const scopes = await scopesAfter(maintenance, after, SCOPES);
      for (const scope of scopes) {
        reportProgress(signal);
        const found = await consolidateScope(dependencies, scope, clock.now(), signal);
        // Closed learnings leave the vector index; the sweep resends a lost hint.
        if (found.duplicates + found.superseded > 0) await tryHintIndex(hints, scope.tenantId);
        done.scopes += 1;
        done.duplicates += found.duplicates;
        done.superseded += found.superseded;
        done.decayed += found.decayed;
        after = { tenantId: scope.tenantId, projectId: scope.projectId, namespace: scope.namespace };
        report({ after, counts: { ...done } });
      }
      if (scopes.length < SCOPES) break;
    }
    for (const tenantId of await tenantsToPrune(maintenance, TENANTS)) {
      reportProgress(signal);
      const pruned = await database.asTenant(asId(tenantId), (transaction) => pruneUnnamed(transaction, PRUNED));
      done.pruned += pruned;
    }
    return done;
  };

  return {
    consolidate: () =>
      resumeWithHeartbeat(detailsSchema, START, (signal, from, report) => consolidate(from, signal, report)),
  };
}
