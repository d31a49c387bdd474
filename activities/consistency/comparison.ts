import type pg from 'pg';
import type { TenantId } from '../../domain/ids.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { RunningWorkflows } from '../../stores/temporal/running-workflows.ts';
import { DIVERGENCE_KINDS } from '../../workflows/consistency/types.ts';
import type { CheckCounts, DivergenceKind } from '../../workflows/consistency/types.ts';

/** Running counts of a check. */
export class Tally {
  private rows: number;
  private readonly found: Partial<Record<DivergenceKind, number>>;
  private readonly repaired: Partial<Record<DivergenceKind, number>>;

  constructor(from: CheckCounts) {
    this.rows = from.rows;
    this.found = { ...from.found };
    this.repaired = { ...from.repaired };
  }

  look(rows: number): void {
    this.rows += rows;
  }

  find(kind: DivergenceKind, count: number): void {
    if (count > 0) this.found[kind] = (this.found[kind] ?? 0) + count;
  }

  repair(kind: DivergenceKind, count: number): void {
    if (count > 0) this.repaired[kind] = (this.repaired[kind] ?? 0) + count;
  }

  /** Adds the counts of another tally. */
  add({ rows, found, repaired }: CheckCounts): void {
    this.look(rows);
    for (const kind of DIVERGENCE_KINDS) {
      this.find(kind, found[kind] ?? 0);
      this.repair(kind, repaired[kind] ?? 0);
    }
  }

  counts(): CheckCounts {
    return { rows: this.rows, found: { ...this.found }, repaired: { ...this.repaired } };
  }
}

export interface ConsistencyDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  readonly workflows: RunningWorkflows;
  /** Whether scheduled checks repair. */
  readonly repairs: boolean;
  /** A difference counts if it persists this long: writes between two stores take less. Milliseconds. */
  readonly settleMs?: number;
}

/** The check of one tenant. */
export interface Comparison extends ConsistencyDependencies {
  readonly tenantId: TenantId;
  readonly repair: boolean;
  readonly settleMs: number;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}
