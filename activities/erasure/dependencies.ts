import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { TenantScope } from '../../stores/postgres/connection/tenant-scope.ts';
import type { JournalDependencies } from './journal.ts';

export interface ErasureDependencies extends JournalDependencies {
  readonly database: Database;
  /** Over the same pool. */
  readonly scope: TenantScope;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** Whole values; null where none are kept. */
  readonly wholes: ObjectStore | null;
  /** Archived sessions, exports, files of imports; null where no store is set. */
  readonly archive: ArchiveStore | null;
  readonly now: () => number;
}
