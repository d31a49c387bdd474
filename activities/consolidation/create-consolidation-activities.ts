import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { pruneUnnamed, scopesAfter } from '../../stores/postgres/learnings/consolidation.ts';
import type { ConsolidationActivities } from '../../workflows/operations/types.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import type { NeighbourDependencies } from '../learning/compare-drafts.ts';
import { consolidateScope } from './consolidate-scope.ts';
import { reportProgress, resumeWithHeartbeat } from '../heartbeat.ts';

export interface ConsolidationDependencies extends NeighbourDependencies {
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
  after: z
    .object({ projectId: z.string().nullable(), namespace: z.string(), ownerId: z.string().nullable() })
    .nullable(),
  counts,
});
type Details = z.output<typeof detailsSchema>;

const START: Details = { after: null, counts: { scopes: 0, duplicates: 0, superseded: 0, decayed: 0, pruned: 0 } };
const SCOPES = 100;
const PRUNED = 1_000;

/** Consolidates learnings. Every step is repeatable. */
export function createConsolidationActivities(dependencies: ConsolidationDependencies): ConsolidationActivities {
  const { database, hints, clock } = dependencies;

  const consolidate = async (
    tenantId: TenantId,
    from: Details,
    signal: AbortSignal,
    report: (details: Details) => void,
  ) => {
    let { after } = from;
    const done = { ...from.counts };
    for (;;) {
      const scopes = await database.asTenant(tenantId, (transaction) => scopesAfter(transaction, after, SCOPES));
      for (const scope of scopes) {
        reportProgress(signal);
        const found = await consolidateScope(dependencies, { ...scope, tenantId }, clock.now(), signal);
        // Closed learnings leave the vector index; the sweep resends a lost hint.
        if (found.duplicates + found.superseded > 0) await tryHintIndex(hints, tenantId);
        done.scopes += 1;
        done.duplicates += found.duplicates;
        done.superseded += found.superseded;
        done.decayed += found.decayed;
        after = scope;
        report({ after, counts: { ...done } });
      }
      if (scopes.length < SCOPES) break;
    }
    reportProgress(signal);
    done.pruned += await database.asTenant(tenantId, (transaction) => pruneUnnamed(transaction, PRUNED));
    return done;
  };

  return {
    consolidate: ({ tenantId }) =>
      resumeWithHeartbeat(detailsSchema, START, (signal, from, report) =>
        consolidate(asId(tenantId), from, signal, report),
      ),
  };
}
