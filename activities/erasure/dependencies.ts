import type pg from 'pg';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/database.ts';
import type { TenantScope } from '../../stores/postgres/tenant-scope.ts';

export interface ErasureDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Over the same pool. */
  readonly scope: TenantScope;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** Whole values; null where none are kept. */
  readonly wholes: ObjectStore | null;
  /** Archived sessions, exports, files of imports; null where no store is set. */
  readonly archive: ArchiveStore | null;
  /** Where the journal and the receipts lie: the backup store and its copy. */
  readonly journals: readonly ArchiveStore[];
  /** PKCS #8 DER of an Ed25519 key; null: receipts are hashed, not signed. */
  readonly signingKey: Uint8Array | null;
  readonly now: () => number;
}
