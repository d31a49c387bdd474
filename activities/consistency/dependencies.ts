import type pg from 'pg';
import type { TenantId } from '../../domain/ids.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { RunningWorkflows } from '../../stores/temporal/running-workflows.ts';
import type { Tally } from './tally.ts';

export interface ConsistencyDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  readonly workflows: RunningWorkflows;
  /** Whether scheduled comparisons mend. */
  readonly repairs: boolean;
  /** How long a difference must stand to count: what is under way between two stores passes in less. Milliseconds. */
  readonly settleMs?: number;
}

/** One comparison of one tenant, for the steps that it is made of. */
export interface Comparison extends ConsistencyDependencies {
  readonly tenantId: TenantId;
  readonly repair: boolean;
  readonly settleMs: number;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}
