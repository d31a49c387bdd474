import type pg from 'pg';
import type { IndexModel } from '../../domain/index-model.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';

export interface RetentionDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Null where no archive store is set: then sessions are not archived, and stay. */
  readonly archives: ArchiveStore | null;
  /** Whole values that rows were cut from; null where none are kept. */
  readonly objects: ObjectStore | null;
  readonly hints: WorkflowHints;
  /** The index that the settings ask for. */
  readonly embeddingModel: IndexModel;
  readonly clock: Clock;
}
